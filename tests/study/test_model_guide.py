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
