"""A process that numbers people until it is killed: python numberer.py OWNER_DSN APP_DSN FIRST."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.linkage.api.conftest import NOW, SECRET, request
from tests.store.conftest import KEY

from kiban import linkage, main, store
from kiban.linkage import api
from kiban.settings import Settings
from kiban.store import Store


def work(owner: str, app: str, first: int) -> None:
    library = main.library(given=Settings(home=Path("unused")))
    with Store(store.Server(owner, app), library, KEY) as city, linkage.open_linkage(city) as books:
        numbers = api.Numbers(books, SECRET)
        numbering = api.Numbering(api.numbering_spec(library), city, numbers, SECRET, lambda: NOW)

        def one(n: int) -> None:
            answer = numbering.answer(request(seinengappi=f"{1900 + n // 300}-01-{n % 28 + 1:02}"), "002")
            assert answer.status == 200, answer.problem
            sys.stdout.write(f"{n} {answer.body['result'][0]['atenabango']}\n")
            sys.stdout.flush()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(one, range(first, first + 28)))


if __name__ == "__main__":
    work(sys.argv[1], sys.argv[2], int(sys.argv[3]))
