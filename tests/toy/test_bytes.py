"""The bytes of the corpus are fixed: results that were measured on it are comparable for good."""

from __future__ import annotations

import hashlib

import pytest

from rim_nmt.toy import corpus

# sizes of the splits, and the SHA-256 of each file of seed 1
KNOWN = {
    "default sizes": (
        {},
        {
            "train.en": "08b84c9581c8e467c6deca3fdc09da4ce78fefa2ece63c4927ccc690aa29c67b",
            "train.de": "02916f08e00d4b91494b382eb9a66eaa4d05a1f993d070532e402549ee10fa6c",
            "valid.en": "009e8514b90d30ceb580dc16c095c4e54e01e790965dc02b962cdac32283fb42",
            "valid.de": "aa766f0890bbc870fbf19432ff61a9513db023d0a7cd0d76eadb8dbeac5fc451",
            "test.en": "288dc450fedcb7d679f9944b99cd6144a83d3217158558223fa456e5c0dc3037",
            "test.de": "444ac5a1f53cede8703b584e3135d45633ec5936326b1b20f1ffd60c2f082c02",
            "transfer.en": "cfaeb6984e0a096ab916abadd0fb49e0e4aa148aaa55da740023131ded101ceb",
            "transfer.de": "08e236c8848cbbc7c636cc63a1ff05abc93e9f2a0a002d201a718b066ee1241d",
        },
    ),
    "one small pair": (
        {"train_size": 300, "valid_size": 20, "test_size": 21, "transfer_size": 10},
        {
            "train.en": "24586714125b160b3f07fa331384e4fd32bc1110d3fbbd8574c55657ae73c9f7",
            "train.de": "ddfbf29b39af8248eeaa434345d0e1e90534fc3b6a749a7650a2383e59922bc3",
            "valid.en": "fe6b33edec3ba918b0d8b5e3f1ab5b36d4e5d0feb76ade88202d9001a17db114",
            "valid.de": "b5e2b9b844237e1c6c6afdb46c95bb63bb164aacb5b02ec790b461dbfba569fe",
            "test.en": "3afb5e85d0bcce7351f3158eda18c9817f8e8d514f157e0deb99d72439c9064b",
            "test.de": "721de93c9ba082b0d92fd269ea21849450f689eb188ad77c34350b0f63c35aba",
            "transfer.en": "4e8e2f47712adbf13c07215dc698af7b746a26d7d7522289750e2bb4b709c3db",
            "transfer.de": "0872aa276300eb6130dc66790fcb0e82a388ce1fdef317c3de3d10699c690fdc",
        },
    ),
    "two small pairs": (
        {"train_size": 200, "valid_size": 20, "test_size": 11, "transfer_size": 1},
        {
            "train.en": "e2a4717fb35712bcae2349e59b80aa432777525089689c348894ee69aaa7d716",
            "train.de": "0bf7ee00b20b4a7642b28bb5acd9400ae047f27f1997ec09e956b6be80849b62",
            "valid.en": "ad266d3f4bfcf4cccaf01f58101cffb55e293f2a9713bcd74de1302e2595de99",
            "valid.de": "0eb2ebd37f5544caa769d7d1fce633f3d89e1991d8eb6bf581d607d27bfb38a8",
            "test.en": "4d48b6054d0bbbcdfbda973c6c38e0762921b88cfa00aa8d43192cfed77c8ae1",
            "test.de": "6138cbced8c538a432a96e016fcac5c7386c1e28406a0bcdd7a4415ad2b799c3",
            "transfer.en": "834ec8555f8d57124f705b6c7e88754e8581a595433c1b525fd839e5319cd350",
            "transfer.de": "eaee8224bfbedb7fd9ab89f3dcfc6c92e2bbef5bd6f8c037d1d867d35fc83ea4",
        },
    ),
}


@pytest.mark.parametrize(("sizes", "known"), KNOWN.values(), ids=KNOWN.keys())
def test_the_bytes_of_a_seed_never_change(tmp_path, sizes, known):
    corpus.write(tmp_path, seed=1, **sizes)
    written = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()
    }
    assert written == known
