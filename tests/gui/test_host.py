"""The door to Natron: copies of the project, and frames that are shown in it."""

import pytest
from fake_natron import App, Node

from NatronIExec.errors import BadInput, ProjectError
from NatronIExec.gui.windows import load_frames
from NatronIExec.host import project, reader
from NatronIExec.host.api import NatronWindow


@pytest.fixture
def shot(tmp_path):
    file = tmp_path / "shot" / "comp.ntp"
    file.parent.mkdir()
    file.write_text("the artist's")
    return file


def writer(name="Write1", **more):
    return Node(name, "writer", "[Project]/renders/a.####.png", **more)


def test_a_snapshot_is_a_copy_and_nothing_else_changes(shot):
    group = Node("Group1", children=[writer("Inner", selected=True)])
    app = App(shot, [writer(), group])
    found = project.take(NatronWindow(app))
    assert found.project != shot
    assert found.original == shot
    assert found.writers == ("Write1", "Group1.Inner")
    assert found.selected == ("Group1.Inner",)
    assert (found.name, found.frame_range) == ("comp", (1, 24))
    assert shot.read_text() == "the artist's"
    assert sorted(path.name for path in shot.parent.iterdir()) == ["comp.ntp"]


def test_a_project_that_was_never_saved(tmp_path):
    found = project.take(NatronWindow(App()))
    assert (found.original, found.name) == (None, "Untitled")


def test_a_project_whose_file_was_deleted(shot):
    """It is still on screen, so it can be rendered; its frames go where they always went."""
    shot.unlink()
    found = project.take(NatronWindow(App(shot)))
    assert (found.original, found.project.exists()) == (shot, True)


def test_a_full_disk_is_said(shot):
    app = App(shot)
    app.disk_full = True
    with pytest.raises(ProjectError, match="could not save a copy"):
        project.take(NatronWindow(app))


def test_frames_get_a_read_node_beside_their_writer(shot):
    node = writer()
    node.place = (100.0, 50.0)
    app = App(shot, [node])
    files = [str(shot.parent / "renders" / f"a.{frame:04d}.png") for frame in (1, 2)]
    name, created = reader.show_frames(NatronWindow(app), files, "Write1")
    assert created
    made = app.getNode(name)
    assert made.filename.getValue() == str(shot.parent / "renders" / "a.####.png")
    assert made.place == (250.0, 50.0)
    assert reader.show_frames(NatronWindow(app), files, "Write1") == (name, False)
    assert made.filename.reloads == 1


@pytest.mark.parametrize(
    ("files", "raw", "pattern"),
    [
        (["comp_v02.png"], "[Project]/renders/comp_v02.png", "comp_v02.png"),
        (["comp_v02.png"], "", "comp_v02.png"),
        (["a_10.png", "a_9.png"], "", "a_#.png"),
        (["a_0010.png"], "[Project]/renders/a_####.png", "a_####.png"),
        (["a_10.png"], "[Project]/renders/a_%02d.png", "a_##.png"),
        (["a_right.0010.exr"], "a_%v.%04d.exr", "a_right.####.exr"),
        (["shot_3.0010.v2.exr"], "shot_3.####.v2.exr", "shot_3.####.v2.exr"),
    ],
)
def test_a_sequence_is_what_the_writer_numbers(files, raw, pattern):
    assert reader.pattern_of(files, raw) == pattern


def test_another_single_image_is_another_reader(shot):
    app = App(shot, [Node("Read7", "reader", "[Project]/comp_v01.png")])
    name, created = reader.show_frames(NatronWindow(app), [str(shot.parent / "comp_v02.png")], None)
    assert created
    assert app.getNode(name).params["firstFrame"].getValue() == 1


@pytest.mark.parametrize("raw", ["[Project]/renders/a.%04d.png", "renders/a.####.png", "{folder}/renders/a.0001.png"])
def test_a_reader_of_the_same_frames_is_reloaded(shot, raw):
    existing = Node("Read7", "reader", raw.replace("{folder}", str(shot.parent)))
    app = App(shot, [writer(), existing])
    files = [str(shot.parent / "renders" / "a.0001.png")]
    assert reader.show_frames(NatronWindow(app), files, "Write1") == ("Read7", False)
    assert existing.filename.reloads == 1


def test_a_window_that_was_closed_is_never_asked(shot):
    """Its object points to nothing; the fake ends the test there, as Natron would."""
    app = App(shot, [writer()])
    window = NatronWindow(app)
    app.close()
    assert not window.is_open()
    with pytest.raises(ProjectError, match="closed"):
        project.take(window)


def test_the_queue_is_docked_once_and_no_other_tab_comes_to_the_front(shot):
    app = App(shot, panes=("pane3", "pane14"))
    pane, high = app.panes
    window = NatronWindow(app)
    graph = window.new_panel("Node Graph")
    panel = window.new_panel("iExec Render Queue")
    pane.appendTab(graph)
    window.show_panel(panel, "a.b")
    assert (pane.tabs, pane.current, app.registered) == ([graph, panel], 1, {"iExec_Render_Queue": "a.b"})
    app.moveTab("iExec_Render_Queue", high)
    pane.shown.clear()
    window.show_panel(panel, "a.b")
    assert (pane.tabs, high.tabs) == ([graph], [panel])
    high.closeTab(0)
    window.show_panel(panel, "a.b")
    assert pane.tabs + high.tabs == [graph, panel]
    assert "Node Graph" not in pane.shown


def test_without_a_pane_the_queue_is_a_window(shot):
    window = NatronWindow(App(shot))
    panel = window.new_panel("iExec Render Queue")
    window.show_panel(panel, "a.b")
    assert panel.isVisible()
    panel.close()


def test_only_images_are_loaded(shot):
    for files in ([], [str(shot)], ["/x/a.0001.py"]):
        with pytest.raises(BadInput):
            reader.show_frames(NatronWindow(App(shot)), files, None)


def test_each_writer_and_view_has_its_own_reader(shot):
    """A movie is left out: nobody asked for an error about it."""
    app = App(shot, [writer("A"), writer("B")])
    rows = [
        {"writer": name, "view": "", "state": state, "file": f"/r/{name}.{frame:04d}.exr"}
        for name in "AB"
        for frame, state in ((1, "imported"), (2, "imported"), (3, "waiting"))
    ]
    rows.insert(0, {"writer": "Movie", "view": "", "state": "imported", "file": "/r/all.mov"})
    assert len(load_frames(NatronWindow(app), rows)) == 2
    patterns = {node.filename.getValue() for node in app.children if node.kind == "reader"}
    assert patterns == {"/r/A.####.exr", "/r/B.####.exr"}
