from __future__ import annotations

import pytest
import torch

from training.errors import TrainingError
from training.focal.network import (
    DECODER,
    ENCODER,
    HEAD,
    build_network,
    part_of,
    rate_groups,
    transfer,
    weights,
)
from training.focal.settings import FocalNetwork

LIGHT = FocalNetwork("residual_unet", filters=(8, 8, 12), fold=2)
SWIN = FocalNetwork("swin_unetr", feature_size=12)
BOTH = pytest.mark.parametrize("settings", [LIGHT, SWIN])


def _equal(source, network, part):
    names = [n for n in weights(network) if part_of(n) == part]
    return [torch.equal(weights(network)[n], source[n]) for n in names]


@BOTH
def test_every_network_has_three_parts(settings):
    network = build_network(settings, 2, 10, seed=1)
    assert {part_of(n) for n in weights(network)} == {ENCODER, DECODER, HEAD}


@BOTH
def test_encoder_and_decoder_come_over_and_the_head_is_new(settings):
    source = weights(build_network(settings, 2, 10, seed=1))
    network = build_network(settings, 2, 2, seed=2)
    head = {n: v.clone() for n, v in weights(network).items() if part_of(n) == HEAD}
    loaded = transfer(source, network, (ENCODER, DECODER))
    assert all(_equal(source, network, ENCODER))
    assert all(_equal(source, network, DECODER))
    assert set(loaded.left_new) == set(head)
    assert all(torch.equal(weights(network)[n], v) for n, v in head.items())
    counted = sum(v.numel() for n, v in source.items() if part_of(n) == ENCODER)
    assert loaded.values[ENCODER] == counted
    assert f"({counted} values)" in loaded.in_words()


@BOTH
def test_an_encoder_alone_leaves_the_decoder_random(settings):
    source = weights(build_network(settings, 2, 2, seed=1))
    network = build_network(settings, 2, 2, seed=2)
    transfer(source, network, (ENCODER,))
    assert all(_equal(source, network, ENCODER))
    assert not all(_equal(source, network, DECODER))


def test_weights_of_another_width_are_refused():
    source = weights(build_network(LIGHT, 2, 2, seed=1))
    wider = build_network(FocalNetwork("residual_unet", filters=(8, 8, 16), fold=2), 2, 2, seed=1)
    with pytest.raises(TrainingError, match="pre-train again") as caught:
        transfer(source, wider, (ENCODER,))
    assert caught.value.code == "CHECKPOINT"


@BOTH
def test_groups_hold_every_parameter_once_at_its_own_rate(settings):
    network = build_network(settings, 2, 2, seed=1)
    encoder, decoder = rate_groups(network, (2e-6, 1e-5))
    assert (encoder["rate"], decoder["rate"]) == (2e-6, 1e-5)
    ids = [id(p) for group in (encoder, decoder) for p in group["params"]]
    assert sorted(ids) == sorted(id(p) for p in network.parameters())
    named = dict(network.named_parameters())
    slow = {id(p) for n, p in named.items() if part_of(n) == ENCODER}
    assert {id(p) for p in encoder["params"]} == slow


def test_light_network_answers_at_every_voxel():
    network = build_network(LIGHT, 2, 10, seed=1).eval()
    assert network(torch.zeros((1, 2, 8, 16, 16))).shape == (1, 10, 8, 16, 16)
