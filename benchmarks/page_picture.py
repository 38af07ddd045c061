"""A picture of the page, with a text and one word that is selected.

python -m benchmarks.page_picture --out docs/pictures/page.png
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.page_server import HOST, add_arguments, page_server
from rim_nmt.runtime.files import atomic_path
from tests.translation.page.browser import chromium

SIZE = {"width": 1200, "height": 830}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    parser.add_argument("--out", type=Path, default=Path("page.png"), help="(%(default)s)")
    parser.add_argument(
        "--text", default="The old teacher does not read the book.", help="(%(default)s)"
    )
    parser.add_argument(
        "--word", type=int, default=3, help="of the translation, from 1 (%(default)s)"
    )
    arguments = parser.parse_args()
    with page_server(arguments.model) as port, chromium() as browser:
        page = browser.new_page(viewport=SIZE)
        page.goto(f"http://{HOST}:{port}/")
        page.get_by_role("textbox").fill(arguments.text)
        page.locator("#translation .word").nth(arguments.word - 1).hover()
        page.get_by_role("textbox").blur()
        page.wait_for_timeout(500)  # until nothing moves
        with atomic_path(arguments.out) as unfinished:
            page.screenshot(path=unfinished, type="png")
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
