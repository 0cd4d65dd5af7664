"""The editions that ship with Kiban, the sample contracts over them and a key that signs them; the small city with the linkage's books."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.store.conftest import city, city_template, library

from kiban import linkage, sets, standard, store
from kiban.linkage import Contract, Contracts
from kiban.store import Store

__all__ = ["books", "city", "city_template", "library"]


@pytest.fixture(scope="session")
def samples(library: standard.Library) -> Contracts:
    """The sample contracts: resident-tax, resident-tax-legacy, resident-library, donor-nonresident. None is signed."""
    return linkage.load_contracts([linkage.SAMPLES], library)


@pytest.fixture(scope="session")
def contract(samples: Contracts) -> Contract:
    """One contract over resident.jumin (by atenabango) and resident.setai (by setaibango): events and files."""
    return samples.flow("resident-tax.v1")


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A private key in a PEM file."""
    path = tmp_path_factory.mktemp("keys") / "city.pem"
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.write_bytes(Ed25519PrivateKey.generate().private_bytes(*pem))
    return path


@pytest.fixture(scope="session")
def signer(key_file: Path) -> sets.Signer:
    """Who signs for the city; `signer.key` is what is trusted."""
    return sets.read_signer(key_file)


@pytest.fixture
def signed(library: standard.Library, signer: sets.Signer, tmp_path: Path) -> Callable[..., Contracts]:
    """Loads copies of contract files (the samples where none are named) after signing each; they lie in the test's folder."""

    def load(*files: Path) -> Contracts:
        folder = tmp_path / "contracts"
        folder.mkdir(exist_ok=True)
        for file in files or sorted(linkage.SAMPLES.glob("*.yaml")):
            shutil.copy(file, folder)
        for one in linkage.load_contracts([folder], library):
            assert one.path is not None
            linkage.signature_file(one.path).write_text(linkage.sign(one, signer))
        return linkage.load_contracts([folder], library)

    return load


@pytest.fixture
def books(city: Store) -> Iterator[store.Books]:
    """The books of the linkage in the city of this test."""
    with linkage.open_linkage(city) as opened:
        yield opened
