"""The module `RIM`: RIM layers stacked in one or both directions, called as `torch.nn.LSTM` is."""

import operator
import warnings
from collections.abc import Callable
from typing import Any, Literal, TypedDict, Unpack, cast

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from rim_nmt.mechanism.layer import RIMLayer, breaks_graph

State = Tensor | tuple[Tensor, ...]


class MechanismOptions(TypedDict, total=False):
    """What `RIM` hands on to each `RIMLayer`, which documents it and has the defaults."""

    num_mechanisms: int
    num_active: int
    num_always: int
    dynamics: Literal["lstm", "gru"]
    input_slots: int
    input_heads: int
    input_key_size: int
    input_value_size: int | None
    input_dropout: float
    comm_heads: int
    comm_key_size: int
    comm_value_size: int
    comm_dropout: float
    comm_projection: Literal["gated", "linear"]
    kernel: Literal["auto", "plain", "compiled", "triton"]


class RIM(nn.Module):
    """Recurrent Independent Mechanisms (Goyal et al., ICLR 2021) in place of a `torch.nn.LSTM`.

    Arguments, shapes, and the order of layers and directions are those of `torch.nn.LSTM`: an
    exchange of the class name is enough. Layer l reads [forward ; backward] outputs of layer l-1.
    How one layer computes is written in `RIMLayer`.

        >>> rim = RIM(512, 600, num_layers=2, bidirectional=True)
        >>> output, (h, c) = rim(torch.randn(30, 8, 512))  # T x B x I
        >>> output.shape, h.shape, c.shape
        (torch.Size([30, 8, 1200]), torch.Size([4, 8, 600]), torch.Size([4, 8, 600]))

    What differs from `torch.nn.LSTM`:

    * `hidden_size` must be divisible by `num_mechanisms`.
    * There is no `proj_size` and no `bias=False`, and no `all_weights`: parameters are found by
      `named_parameters`. `flatten_parameters` is there and does nothing.
    * The dropouts of the attentions (`input_dropout`, `comm_dropout`) are 0.1 by default.
    * With `dynamics="gru"` a state is h alone, as for `torch.nn.GRU`.

    What works with the module, and how:

    * Autocast, `copy.deepcopy`, `pickle`, `torch.save`, `torch.utils.checkpoint` and the replicas
      of `nn.DataParallel` (give it dim=1 without `batch_first`): as any module.
    * `torch.compile`: the kernels run as they are, between two graphs, so `fullgraph=True` raises
      `torch._dynamo.exc.Unsupported`. With `kernel="plain"` there is one graph, but every step of
      the sequence is written out in it: compiling takes seconds for each step of each layer, and
      begins anew for every length.
    * `torch.export`: by plain PyTorch whatever `kernel` says. The batch can be dynamic, the length
      of the sequence cannot.
    * `torch.func` (`grad`, `vmap`, ...) and gradients of gradients: with `kernel="plain"`; the
      kernels raise RuntimeError.
    * `torch.jit`, which is deprecated: not with the kernels; use `torch.export`.

    Args:
        input_size: I, width of the input.
        hidden_size: D, width of the output of one layer in one direction.
        num_layers: L.
        bias: only True.
        batch_first: input, output, padding mask and activity have B before T; states do not.
        dropout: dropout on the output of every layer but the last.
        bidirectional: every layer runs in both directions (R = 2, else R = 1).
        proj_size: only 0.
        device: of the parameters.
        dtype: of the parameters.
        **mechanism: what `RIMLayer` takes (`num_mechanisms=6`, `num_active=4`, `dynamics`,
            `kernel`, ...), for every layer; `input_slots` is about x, so for the first layer only.

    Attributes:
        layers: L*R of `RIMLayer`, in the order of the states: forward and backward of layer 0,
            of layer 1, ...

    Raises:
        ValueError: for sizes that do not fit together, and for what is not taken.
    """

    bias = True
    proj_size = 0

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        **mechanism: Unpack[MechanismOptions],
    ):
        super().__init__()
        if bias is not True:
            raise ValueError(
                f"bias must be True, got {bias!r}: a RIM has biases where the paper has them (give "
                "num_mechanisms and num_active by name)"
            )
        if proj_size != 0:
            raise ValueError(f"proj_size must be 0, got {proj_size}: a RIM has no projection")
        if num_layers < 1:
            raise ValueError(f"num_layers must be 1 or more, got {num_layers}")
        if not 0 <= dropout <= 1:
            raise ValueError(f"dropout must be from 0 to 1, got {dropout}")
        if dropout and num_layers == 1:
            warnings.warn(
                f"dropout {dropout} has no effect: it is between layers, and there is one layer",
                stacklevel=2,
            )
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        directions = 2 if bidirectional else 1
        first = [RIMLayer(input_size, hidden_size, **mechanism) for _ in range(directions)]
        mechanism.pop("input_slots", None)
        further = [
            RIMLayer(directions * hidden_size, hidden_size, **mechanism)
            for _ in range(directions * (num_layers - 1))
        ]
        self.layers = nn.ModuleList(first + further)
        self.to(device=device, dtype=dtype)

    def forward(
        self,
        x: Tensor | PackedSequence,
        state: State | None = None,
        padding_mask: Tensor | None = None,
        need_activity: bool = False,
    ) -> tuple[Any, ...]:
        """Run over a batch of sequences, or over one.

        Args:
            x: T x B x I (B x T x I with `batch_first`), one sequence T x I, or a `PackedSequence`.
            state: (h_0, c_0), each L*R x B x D (L*R x D for one sequence); with GRU dynamics h_0
                alone. None is zero.
            padding_mask: T x B (B x T with `batch_first`, T for one sequence), bool, true where x
                is padding. Such steps change nothing, in both directions, wherever they are. A
                `PackedSequence` says itself where sequences end.
            need_activity: also return which mechanisms were active.

        Returns:
            output, laid out as x: T x B x R*D, or a `PackedSequence`. At a padded position each
            direction shows the state that passes it.
            the final state, in the form of `state`: forward, after the last step; backward, after
            the first one.
            with `need_activity` activity, L*R x T x B x K (L*R x B x T x K with `batch_first`,
            L*R x T x K for one sequence), bool, false at padding; for a `PackedSequence` padded,
            with its sentences in their original order.

        Raises:
            ValueError: if x, the state or the mask do not have these shapes, or if a kernel was
                asked for where it cannot be used.
        """
        run: Callable[..., tuple[Any, ...]] = (
            self._run_packed if isinstance(x, PackedSequence) else self._run_tensor
        )
        if breaks_graph(self._layer(0).kernel):
            run = torch.compiler.disable(run)  # once for all layers
        results = run(x, state, padding_mask)
        return results if need_activity else results[:2]

    def flatten_parameters(self) -> None:
        """Nothing: it is here because users of `torch.nn.LSTM` call it."""

    def _run_tensor(
        self, x: Tensor, state: State | None, padding_mask: Tensor | None
    ) -> tuple[Tensor, State, Tensor]:
        """`forward` of a tensor: bring it into the layers' layout, T x B x I, and back."""
        batched = x.dim() == 3
        time = 1 if batched and self.batch_first else 0
        self._check_input(x, time)
        _check_mask(padding_mask, x)
        self._check_state(state, x.shape[1 - time : 2 - time] if batched else ())
        if not batched:
            x = x.unsqueeze(1)  # T x 1 x I
            padding_mask = None if padding_mask is None else padding_mask.unsqueeze(1)  # T x 1
            state = _each(state, lambda s: s.unsqueeze(1))  # L*R x 1 x D
        elif self.batch_first:
            x = x.transpose(0, 1)  # T x B x I
            padding_mask = None if padding_mask is None else padding_mask.t()  # T x B
        output, state, activity = self._run(x, state, padding_mask)
        if not batched:
            return output.squeeze(1), _each(state, lambda s: s.squeeze(1)), activity.squeeze(2)
        if self.batch_first:
            return output.transpose(0, 1), state, activity.transpose(1, 2)
        return output, state, activity

    def _run_packed(
        self, x: PackedSequence, state: State | None, padding_mask: Tensor | None
    ) -> tuple[PackedSequence, State, Tensor]:
        """`forward` of a `PackedSequence`, whose sentences are sorted by length inside."""
        if padding_mask is not None:
            raise ValueError("a PackedSequence says where its sentences end: give no padding_mask")
        padded, lengths = pad_packed_sequence(PackedSequence(x.data, x.batch_sizes))
        self._check_input(padded, 0)
        self._check_state(state, (len(lengths),))
        steps = torch.arange(len(padded), device=padded.device).unsqueeze(1)  # T x 1
        padding_mask = steps >= lengths.to(padded.device)  # T x B
        order, back = x.sorted_indices, x.unsorted_indices  # B each, or None
        if order is not None:
            state = _each(state, lambda s: s.index_select(1, order))
        output, state, activity = self._run(padded, state, padding_mask)
        if back is not None:
            state = _each(state, lambda s: s.index_select(1, back))
            activity = activity.index_select(2, back)
        return x._replace(data=output[~padding_mask]), state, activity

    def _run(
        self, x: Tensor, state: State | None, padding_mask: Tensor | None
    ) -> tuple[Tensor, State, Tensor]:
        """All layers on T x B x I; activity is always returned."""
        directions = len(self.layers) // self.num_layers
        states: list[State] = []
        activities: list[Tensor] = []
        for start in range(0, len(self.layers), directions):
            if start:
                x = nn.functional.dropout(x, self.dropout, self.training)
            outputs = []
            for direction in range(directions):
                place = start + direction
                initial = _each(state, operator.itemgetter(slice(place, place + 1)))  # 1 x B x D
                run = self._run_backward if direction else self._run_forward
                output, last, activity = run(place, x, initial, padding_mask)
                outputs.append(output)  # T x B x D
                states.append(last)  # 1 x B x D
                activities.append(activity)  # T x B x K
            x = torch.cat(outputs, dim=-1) if directions > 1 else outputs[0]  # T x B x R*D
        return x, _join(states), torch.stack(activities)

    def _run_forward(
        self, place: int, x: Tensor, state: State | None, padding_mask: Tensor | None
    ) -> tuple[Tensor, State, Tensor]:
        output, last, activity = self._layer(place)(x, state, padding_mask, need_activity=True)
        return output, last, activity

    def _run_backward(
        self, place: int, x: Tensor, state: State | None, padding_mask: Tensor | None
    ) -> tuple[Tensor, State, Tensor]:
        """From the last step to the first. Padding at the end comes first then and leaves the
        state as it is, so that every sequence is read from its own last element."""
        mask = None if padding_mask is None else padding_mask.flip(0)
        output, last, activity = self._run_forward(place, x.flip(0), state, mask)
        return output.flip(0), last, activity.flip(0)

    def _layer(self, place: int) -> RIMLayer:
        return cast(RIMLayer, self.layers[place])

    def _check_input(self, x: Tensor, time: int) -> None:
        if x.dim() not in (2, 3) or x.size(-1) != self.input_size or x.size(time) == 0:
            raise ValueError(
                f"x is {tuple(x.shape)}, expected {'B x T' if self.batch_first else 'T x B'} x "
                f"{self.input_size}, or T x {self.input_size} for one sequence, with T >= 1"
            )

    def _check_state(self, state: State | None, batch: tuple[int, ...]) -> None:
        if state is None:
            return
        count = 2 if self._layer(0).dynamics.num_states > 1 else 1
        expected = [(len(self.layers), *batch, self.hidden_size)] * count
        given = [tuple(s.shape) for s in ((state,) if isinstance(state, Tensor) else state)]
        if given != expected:
            raise ValueError(f"state has shapes {given}, expected {expected}")

    def extra_repr(self) -> str:
        parts = [f"{self.input_size}, {self.hidden_size}"]
        if self.num_layers > 1:
            parts.append(f"num_layers={self.num_layers}")
        if self.batch_first:
            parts.append("batch_first=True")
        if self.dropout:
            parts.append(f"dropout={self.dropout}")
        if self.bidirectional:
            parts.append("bidirectional=True")
        return ", ".join(parts)


def _check_mask(padding_mask: Tensor | None, x: Tensor) -> None:
    if padding_mask is not None and (
        padding_mask.shape != x.shape[:-1] or padding_mask.dtype != torch.bool
    ):
        raise ValueError(
            f"padding_mask is {tuple(padding_mask.shape)} of {padding_mask.dtype}, expected "
            f"{tuple(x.shape[:-1])} of torch.bool, as x has it"
        )


def _each(state: State | None, change: Callable[[Tensor], Tensor]) -> Any:
    """The same change to h and c, or to h alone, or to nothing."""
    if state is None or isinstance(state, Tensor):
        return None if state is None else change(state)
    return tuple(change(s) for s in state)


def _join(states: list[State]) -> State:
    """One state of all layers, L*R x B x D, from theirs, 1 x B x D each."""
    parts = zip(*((s,) if isinstance(s, Tensor) else s for s in states), strict=True)
    joined = tuple(torch.cat(part) for part in parts)
    return joined[0] if isinstance(states[0], Tensor) else joined
