"""The example in the guide to the model in YAML can be used as it stands."""

import re
from pathlib import Path

import yaml

from tunerstudio.study.catalogue import load_catalogue
from tunerstudio.study.checks import model_problems
from tunerstudio.study.files import parse_document
from tunerstudio.study.network import search_space

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "model-yaml.md"


def test_the_example_of_the_guide_is_a_sound_model():
    examples = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    model = yaml.safe_load(examples[0])["model"]
    study = parse_document({"name": "x", "data": {"source": {"kind": "bundled", "name": "iris"}}, "model": model})
    assert model_problems(study, load_catalogue()) == []
    assert {"stage_count", "conv_filters", "norm_4_on", "pooling_1", "sgd_momentum"} <= set(search_space(study).names())


def test_the_examples_of_data_and_training_are_read():
    examples = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    parts = [part for part in map(yaml.safe_load, examples) if "data" in part or "training" in part]
    source = {"kind": "bundled", "name": "iris"}
    studies = [
        parse_document(
            {"name": "x", "training": part.get("training", {}), "data": {"source": source, **part.get("data", {})}}
        )
        for part in parts
    ]
    assert [study.data.look for study in studies] == ["text", "series", "table"]
    assert {"class_weight", "patience", "rate_factor"} <= set(search_space(studies[2]).names())
