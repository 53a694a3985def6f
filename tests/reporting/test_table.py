"""The numbers behind a page."""

import base64
import csv
import gzip
from io import StringIO

import numpy as np
from reports import make_facts

from vidstyle.reporting.table import HEADER, WHOLE, csv_address, csv_text, rows


def test_every_frame_is_a_row_with_all_that_is_known():
    table = list(csv.DictReader(StringIO(csv_text(make_facts(12)))))
    assert [row["frame"] for row in table] == [str(k) for k in range(12)]
    assert [row["shot"] for row in table] == ["1"] * 7 + ["2"] * 5
    assert table[5] == {
        "frame": "5",
        "time_s": "0.2",
        "shot": "1",
        "seconds": "5.5",
        "loss": "0.16667",
        "evaluations": "15",
        "retries": "0",
        "fallback": "0",
        "warp_error": "5",
        "source_warp_error": "10",
        "flicker": "15",
        "source_flicker": "20",
    }


def test_what_is_not_known_is_empty():
    assert next(rows(make_facts(12)))[HEADER.index("warp_error")] == ""


def test_a_table_can_be_cut_off():
    assert len(list(rows(make_facts(12), 5))) == 5


def test_short_tables_are_plain_and_long_ones_compressed():
    kind, data = csv_address("a,b\n")[0].split(",")
    assert (kind, base64.b64decode(data)) == ("data:text/csv;base64", b"a,b\n")
    text = csv_text(make_facts(6000))
    address, suffix = csv_address(text)
    assert suffix == ".csv.gz"
    assert gzip.decompress(base64.b64decode(address.split(",")[1])).decode() == text


def test_a_frame_takes_some_tens_of_bytes():
    facts = make_facts(5000)
    noise = np.random.default_rng(0).random((len(facts.columns), 5000))
    columns = {
        name: column if name not in WHOLE else np.round(9 * column)
        for name, column in zip(facts.columns, noise, strict=True)
    }
    address, _ = csv_address(csv_text(make_facts(5000, columns=columns)))
    assert len(address) < 50 * 5000
