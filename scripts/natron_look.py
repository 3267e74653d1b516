"""A style sheet that looks like Natron's: pictures show what an artist sees, with a box behind each label and all."""

LOOK = """
QWidget { background-color: #303030; color: #c7c7c7; selection-background-color: #f28a00; selection-color: #101010; }
QWidget:disabled { color: #0f0f0f; }
QLineEdit, QSpinBox, QPlainTextEdit, QTextEdit { background: #474747; border: 1px solid #101010; padding: 2px; }
QLineEdit:disabled, QSpinBox:disabled { background: #303030; }
QComboBox, QPushButton, QToolButton { background: #474747; border: 1px solid #101010; padding: 3px 5px; }
QPushButton:disabled, QToolButton:disabled { background: #3a3a3a; }
QPushButton:default, QPushButton:focus, QLineEdit:focus { border: 1px solid #f28a00; }
QComboBox::drop-down { border-left: 1px solid #303030; width: 16px; }
QComboBox::down-arrow { width: 0; height: 0; border: 4px solid #474747; border-top: 5px solid #c7c7c7; }
QGroupBox { border: 1px solid #3a3a3a; margin-top: 20px; }
QGroupBox::title { subcontrol-origin: margin; subcontrol-position: top left; padding: 2px; }
QHeaderView::section { background: #3d3d3d; border: 1px solid #252525; padding: 2px; }
QAbstractItemView { background: #1f1f1f; border: 1px solid #101010; }
QTabWidget::pane { border: 1px solid #101010; }
QTabBar::tab { background: #1f1f1f; border: 1px solid #101010; padding: 4px 14px; }
QTabBar::tab:selected { background: #303030; border-bottom: 1px solid #303030; }
QProgressBar { background: #1f1f1f; border: 1px solid #101010; }
QProgressBar::chunk { background: #f28a00; }
QScrollBar { background: #1f1f1f; }
QScrollBar::handle { background: #474747; border: 1px solid #101010; min-height: 20px; min-width: 20px; }
QToolTip { background: #474747; color: #c7c7c7; }
"""
