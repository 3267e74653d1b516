"""What the publisher's verbs take and answer: apps, their orders, what they earned. Part of `verb_table`."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, TypedDict


class NetworkArgs(TypedDict):
    network: str


class PasswordArgs(TypedDict, total=False):
    password: Optional[str]


class EditionArgs(NetworkArgs, PasswordArgs):
    """`edition`: "free" or "distributed"."""

    edition: str


class DeployArgs(EditionArgs):
    """`image` is repository:tag in a registry, `digest` the sha256:… of its manifest there."""

    name: str
    image: str
    digest: str


class AppRow(TypedDict):
    """An app as it is on chain; `contents_known`: whether this machine has the list of what its image holds."""

    edition: str
    app: str
    owner: str
    name: str
    image: str
    checksum: str
    mrenclave: str


class ShownApp(AppRow):
    contents_known: bool


class DeployedApp(AppRow):
    new: bool


class _TermsNeed(EditionArgs):
    price_nrlc: int
    volume: int


class TermsArgs(_TermsNeed, total=False):
    """What is sold: `app` when it is not the edition's of the network; to whom and on which worker group, else all."""

    app: Optional[str]
    confidential: Optional[bool]
    requester: Optional[str]
    workerpool: Optional[str]


class PublishedOrder(TypedDict):
    app: str
    edition: str
    order: str
    new: bool


class NewPrice(TypedDict):
    published: str
    unpublished: List[str]


class UnpublishArgs(EditionArgs, total=False):
    app: Optional[str]
    order: Optional[str]


class Unpublished(TypedDict):
    unpublished: List[str]


class AppOrderRow(TypedDict):
    """`requester` and `workerpool`: the only ones that it is sold to, 0x0…0 for everybody."""

    edition: str
    app: str
    order: str
    price_nrlc: int
    volume: int
    remaining: int
    tag: str
    requester: str
    workerpool: str


class RevenueRow(TypedDict):
    """Of an edition in a month (YYYY-MM, UTC)."""

    edition: str
    month: str
    deals: int
    tasks: int
    completed: int
    earned_nrlc: int
    pending_nrlc: int


class Stake(TypedDict):
    owner: str
    stake_nrlc: int


class Revenue(TypedDict):
    rows: List[RevenueRow]
    earned_nrlc: int
    stakes: List[Stake]


class NetworkFileArgs(NetworkArgs, PasswordArgs, total=False):
    """`images`: what images hold, by checksum."""

    images: Dict[str, Any]


class Text(TypedDict):
    text: str


class ContentArgs(TypedDict):
    content: str


class _AddedNetworkNeeds(TypedDict):
    network: str
    publisher: str


class AddedNetwork(_AddedNetworkNeeds, total=False):
    app: str
    app_single: str
