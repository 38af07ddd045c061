"""The RIM layer: Recurrent Independent Mechanisms (Goyal et al., ICLR 2021) over a sequence."""

from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor, nn

from rim_nmt.mechanism.communication import PROJECTIONS, Communication
from rim_nmt.mechanism.dynamics import GRUDynamics, LSTMDynamics, State
from rim_nmt.mechanism.input_attention import InputAttention
from rim_nmt.mechanism.kernels import KERNELS, choose
from rim_nmt.mechanism.kernels.weights import LayerWeights
from rim_nmt.mechanism.selection import select_active

DYNAMICS: dict[str, type[LSTMDynamics | GRUDynamics]] = {"lstm": LSTMDynamics, "gru": GRUDynamics}


class RIMLayer(nn.Module):
    """K mechanisms that compete for the input: one layer in one direction, of which `RIM` and the
    translation models are made.

    One step (numbers are the paper's sections):

        p_km, u_k  = input attention over {null, x_t}                 2.2   InputAttention
        S_t        = the A mechanisms with the highest mean_m p_km    2.2   select_active
        h~_k, c~_k = LSTM_k(u_k, (h_k, c_k))  for k in S_t            2.3   LSTMDynamics
        h'_k       = h~_k + P(o_k)            for k in S_t            2.4   Communication
        h'_k, c'_k = h_k, c_k                 for all other k, bit for bit

    The output is concat_k h'_k. Gradients reach an inactive mechanism through the identity and
    through being read by others. At padded positions no mechanism is active, so the state passes
    them unchanged.

    Input and output are laid out as in `torch.nn.LSTM` (time first). Inside, states have the
    mechanisms first (K x B x d), which lets every per-mechanism map be one batched product.

    The defaults are the paper's Table 3.

    Args:
        input_size: I, width of the input.
        hidden_size: D = K * d, width of state and output.
        num_mechanisms: K.
        num_active: A, how many mechanisms are active at a step.
        num_always: so many of the A are always the first mechanisms; the others compete for the
            rest. The paper has none of these.
        dynamics: "lstm" or "gru".
        input_slots: N, elements that the input is cut into; each is attended to on its own.
        input_heads: M, heads of the input attention.
        input_key_size: d_e, width of its queries and keys in each head.
        input_value_size: width of its values in each head; None means d.
        input_dropout: dropout on the input attention (not on the selection).
        comm_heads: heads of the communication attention; 0 switches communication off.
        comm_key_size: d_c, width of its queries and keys in each head.
        comm_value_size: width of its values in each head.
        comm_dropout: dropout on the communication attention.
        comm_projection: "gated" or "linear", the map P from the heads back to width d.
        kernel: "plain" computes as this file reads; "compiled" is kernels/cpu.cpp, for CPUs, which
            computes nothing for mechanisms that are not active; "triton" is kernels/triton.py, for
            GPUs; "auto" takes the one of the device where it can be taken.

    Raises:
        ValueError: for sizes that do not fit together; the message prints them.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_mechanisms: int = 6,
        num_active: int = 4,
        *,
        num_always: int = 0,
        dynamics: str = "lstm",
        input_slots: int = 1,
        input_heads: int = 4,
        input_key_size: int = 64,
        input_value_size: int | None = None,
        input_dropout: float = 0.1,
        comm_heads: int = 4,
        comm_key_size: int = 32,
        comm_value_size: int = 32,
        comm_dropout: float = 0.1,
        comm_projection: str = "gated",
        kernel: str = "auto",
    ):
        super().__init__()
        _require_positive(
            input_size=input_size,
            hidden_size=hidden_size,
            num_mechanisms=num_mechanisms,
            num_active=num_active,
            input_slots=input_slots,
            input_heads=input_heads,
            input_key_size=input_key_size,
            comm_key_size=comm_key_size,
            comm_value_size=comm_value_size,
        )
        if hidden_size % num_mechanisms:
            below = hidden_size - hidden_size % num_mechanisms
            fitting = [str(size) for size in (below, below + num_mechanisms) if size]
            raise ValueError(
                f"hidden_size {hidden_size} is not divisible by num_mechanisms {num_mechanisms}: "
                f"every mechanism has hidden_size / num_mechanisms units; "
                f"{' or '.join(fitting)} would fit"
            )
        if num_active > num_mechanisms:
            raise ValueError(
                f"num_active {num_active} is more than num_mechanisms {num_mechanisms}: "
                f"give a number from 1 to {num_mechanisms}"
            )
        if not 0 <= num_always <= num_active:
            raise ValueError(
                f"num_always must be from 0 to num_active, which is {num_active}, got {num_always}"
            )
        if input_size % input_slots:
            raise ValueError(
                f"input_size {input_size} is not divisible by input_slots {input_slots}"
            )
        if input_value_size is None:
            input_value_size = hidden_size // num_mechanisms
        _require_positive(input_value_size=input_value_size)
        if comm_heads < 0:
            raise ValueError(f"comm_heads must be 0 (no communication) or more, got {comm_heads}")
        if dynamics not in DYNAMICS:
            raise ValueError(f"dynamics must be one of {', '.join(DYNAMICS)}, got {dynamics!r}")
        if comm_projection not in PROJECTIONS:
            raise ValueError(
                f"comm_projection must be one of {', '.join(PROJECTIONS)}, got {comm_projection!r}"
            )
        if kernel not in KERNELS:
            raise ValueError(f"kernel must be one of {', '.join(KERNELS)}, got {kernel!r}")
        for name, rate in (("input_dropout", input_dropout), ("comm_dropout", comm_dropout)):
            if not 0 <= rate < 1:
                raise ValueError(f"{name} must be at least 0 and below 1, got {rate}")

        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_mechanisms = num_mechanisms
        self.num_active = num_active
        self.num_always = num_always
        self.kernel = kernel
        self.asleep: list[int] = []  # mechanisms that are never active, see `keep_asleep`
        mechanism_size = hidden_size // num_mechanisms
        self.input_attention = InputAttention(
            input_size,
            input_slots,
            num_mechanisms,
            mechanism_size,
            input_heads,
            input_key_size,
            input_value_size,
            input_dropout,
        )
        self.dynamics = DYNAMICS[dynamics](
            num_mechanisms, input_heads * input_value_size, mechanism_size
        )
        self.communication = (
            Communication(
                num_mechanisms,
                mechanism_size,
                comm_heads,
                comm_key_size,
                comm_value_size,
                comm_dropout,
                comm_projection,
            )
            if comm_heads
            else None
        )

    def forward(
        self,
        x: Tensor,
        state: Tensor | tuple[Tensor, Tensor] | None = None,
        padding_mask: Tensor | None = None,
        need_activity: bool = False,
    ) -> tuple[Tensor, ...]:
        """Run over a sequence; a sequence of length one is one step of decoding.

        Args:
            x: T x B x I.
            state: as `torch.nn.LSTM` takes it: (h_0, c_0), each 1 x B x D; with GRU dynamics h_0
                alone, as `torch.nn.GRU`. None is zero.
            padding_mask: T x B, true where x is padding, anywhere in the sequence.
            need_activity: also return which mechanisms were active.

        Returns:
            output T x B x D; the final state in the form of `state`; with `need_activity` also
            activity, T x B x K, bool.

        Raises:
            ValueError: if x, the state or the mask do not have these shapes, or if a kernel was
                asked for where it cannot be used.
        """
        self._check_input(x, state, padding_mask)
        if breaks_graph(self.kernel):
            run = torch.compiler.disable(self._run)  # kernels run between graphs
        elif torch.compiler.is_compiling():
            run = self._run_plain  # straight: what chooses a path also logs it
        else:
            run = self._run
        results = run(x, state, padding_mask)
        return results if need_activity else results[:2]

    def keep_asleep(self, mechanisms: Collection[int]) -> None:
        """From now on, these mechanisms are never active: what are they good for? As many others
        are chosen as before, where there are so many. Their states stay what they are at the
        start, and are still read. No kernel computes such a layer.

        Args:
            mechanisms: their numbers, from 0; none lets all be chosen again.

        Raises:
            ValueError: there is no such mechanism, or none would be left.
        """
        numbers = sorted(set(mechanisms))
        if not set(numbers) <= set(range(self.num_mechanisms)):
            last = self.num_mechanisms - 1
            raise ValueError(f"got mechanisms {numbers}, expected some of 0 to {last}")
        if len(numbers) == self.num_mechanisms:
            raise ValueError(f"all {self.num_mechanisms} mechanisms of a layer cannot sleep")
        self.asleep = numbers

    def _run(
        self, x: Tensor, state: Tensor | tuple[Tensor, Tensor] | None, padding_mask: Tensor | None
    ) -> tuple[Tensor, Tensor | tuple[Tensor, ...], Tensor]:
        """`forward` by the path for this input; activity is always returned."""
        kernel = choose(self, x)
        if kernel is None:
            return self._run_plain(x, state, padding_mask)
        keys, values = self.input_attention.project_input(x)
        return kernel.run(self._weights(), keys, values, state, padding_mask)

    def _weights(self) -> LayerWeights:
        """What a kernel needs of this layer."""
        attention, communication = self.input_attention, self.communication
        assert isinstance(self.dynamics, LSTMDynamics)  # or no kernel would run
        of_communication: dict[str, Any] = {}
        if communication:
            projection = communication.projection
            of_communication = {
                "comm_query": communication.query.weight,
                "comm_key_value": communication.key_value.weight,
                "project": projection.weight,
                "project_bias": getattr(projection, "bias", None),  # of the gated one
                "comm_heads": communication.num_heads,
                "comm_dropout": communication.dropout.p if self.training else 0.0,
            }
        return LayerWeights(
            query=attention.query.weight,
            gates=self.dynamics.weight,
            bias=self.dynamics.bias,
            num_active=self.num_active,
            num_always=self.num_always,
            input_heads=attention.num_heads,
            input_dropout=attention.dropout.p if self.training else 0.0,
            **of_communication,
        )

    def _run_plain(
        self, x: Tensor, state: Tensor | tuple[Tensor, Tensor] | None, padding_mask: Tensor | None
    ) -> tuple[Tensor, Tensor | tuple[Tensor, ...], Tensor]:
        """`forward` as this file reads; activity is always returned."""
        steps, batch, _ = x.shape
        split_state = self._split(state, x)
        keys, values = self.input_attention.project_input(x)
        pads = [None] * steps if padding_mask is None else padding_mask.unbind(0)

        outputs, activity = [], []
        # unbind, not indexing: its backward is one stack instead of T zero-filled tensors
        for key, value, pad in zip(keys.unbind(0), values.unbind(0), pads, strict=True):
            split_state, active = self._step(key, value, pad, split_state)
            outputs.append(split_state[0])
            activity.append(active)

        output = torch.stack(outputs)  # T x K x B x d
        output = output.transpose(1, 2).reshape(steps, batch, self.hidden_size)  # T x B x D
        return output, self._join(split_state), torch.stack(activity).transpose(1, 2)  # T x B x K

    def _step(
        self, key: Tensor, value: Tensor, pad: Tensor | None, state: State
    ) -> tuple[State, Tensor]:
        """One step on split states (K x B x d each); `active` comes back as K x B."""
        p = self.input_attention.attend(state[0], key)  # K x B x N x M
        active = select_active(p.sum(-2), self.num_active, self.num_always, self.asleep)  # K x B
        if pad is not None:
            active = active & ~pad
        takes = active.unsqueeze(-1)  # K x B x 1

        u = self.input_attention.read(p, value)  # K x B x M*d_v
        updated = self.dynamics(u, state)
        # torch.where keeps inactive states bit for bit; arithmetic with a mask would not (-0.0)
        h, *rest = (torch.where(takes, new, old) for new, old in zip(updated, state, strict=True))
        if self.communication is not None:
            h = torch.where(takes, h + self.communication(h), h)
        return (h, *rest), active

    def _split(self, state: Tensor | tuple[Tensor, Tensor] | None, x: Tensor) -> State:
        """The caller's state (1 x B x D) with the mechanisms apart (K x B x d)."""
        if state is None:
            size = self.hidden_size // self.num_mechanisms
            zero = self.input_attention.key.weight.new_zeros(self.num_mechanisms, x.size(1), size)
            return (zero,) * self.dynamics.num_states
        tensors = (state,) if isinstance(state, Tensor) else state
        return tuple(s[0].unflatten(-1, (self.num_mechanisms, -1)).transpose(0, 1) for s in tensors)

    def _join(self, state: State) -> Tensor | tuple[Tensor, ...]:
        """The inverse of `_split`."""
        joined = tuple(s.transpose(0, 1).flatten(-2).unsqueeze(0) for s in state)  # 1 x B x D
        return joined if self.dynamics.num_states > 1 else joined[0]

    def _check_input(
        self, x: Tensor, state: Tensor | tuple[Tensor, ...] | None, padding_mask: Tensor | None
    ) -> None:
        if x.dim() != 3 or x.size(-1) != self.input_size or x.size(0) == 0:
            raise ValueError(
                f"x is {tuple(x.shape)}, expected T x B x {self.input_size} with T >= 1"
            )
        if padding_mask is not None and (
            padding_mask.shape != x.shape[:2] or padding_mask.dtype != torch.bool
        ):
            raise ValueError(
                f"padding_mask is {tuple(padding_mask.shape)} of {padding_mask.dtype}, expected "
                f"T x B of torch.bool as x has it: {tuple(x.shape[:2])}"
            )
        if state is not None:
            tensors = (state,) if isinstance(state, Tensor) else tuple(state)
            expected = [(1, x.size(1), self.hidden_size)] * self.dynamics.num_states
            given = [tuple(s.shape) for s in tensors]
            if given != expected:
                raise ValueError(f"state has shapes {given}, expected {expected}")

    def extra_repr(self) -> str:
        return (
            f"input_size={self.input_size}, hidden_size={self.hidden_size}, "
            f"num_mechanisms={self.num_mechanisms}, num_active={self.num_active}"
            + (f", num_always={self.num_always}" if self.num_always else "")
        )


def breaks_graph(kernel: str) -> bool:
    """Whether this is `torch.compile` looking at a layer whose kernels it cannot look into."""
    return torch.compiler.is_compiling() and not torch.compiler.is_exporting() and kernel != "plain"


def _require_positive(**sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} must be 1 or more, got {size}")
