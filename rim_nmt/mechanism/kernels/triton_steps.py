"""What a step of a RIM layer computes between its matrix products, in Triton: a kernel for each
stretch and, below all of them, their gradients from the last to the first.

Tensors of a step are contiguous and have a row for each mechanism of each sentence, B x K x width.
A program takes one sentence (`select`), one of its heads (`attend`) or BLOCK of the `size` = B*K*D
elements of all rows. Other sizes are compiled in: K mechanisms of D units; M input heads with keys
of E and values of V; C communication heads with keys of F and values of G.

What products read and write, here called low, may be in half precision. States, probabilities and
factors of dropout are in float32, or in float64 where the products are, and so is every number
that is computed here. The equations are in the docstrings of the modules that rim.py imports.
"""

import triton
import triton.language as tl

BLOCK = 1024


@triton.constexpr_function
def tile(size: int) -> int:
    """Tiles have powers of two, 16 or more where they are multiplied."""
    return max(16, triton.next_power_of_2(size))


@triton.jit
def sigmoid(x):
    return 1 / (1 + tl.exp(-x))


@triton.jit
def tanh(x):
    return 2 / (1 + tl.exp(-2 * x)) - 1


@triton.jit
def select(
    queries, keys, values, padding, dropout, p, active, inputs,
    A: tl.constexpr, ALWAYS: tl.constexpr, K: tl.constexpr, M: tl.constexpr, E: tl.constexpr,
    V: tl.constexpr, D: tl.constexpr,
):  # fmt: skip
    """How much each mechanism wants the input, who is active, and what is read.

    From queries B x K x M*E, keys B x M*E and values B x M*V (low), padding (B or None) and
    dropout (B x K x M or None) to p B x K x M, active B x K and, in rows of M*V + D, inputs (low).
    """
    b = tl.program_id(0)
    k = tl.arange(0, tile(K))
    e = tl.arange(0, tile(E))
    v = tl.arange(0, tile(V))
    row = b * K + k
    score = 0.0
    for m in tl.static_range(M):
        query = tl.load(queries + (row[:, None] * M + m) * E + e, (k < K)[:, None] & (e < E), 0.0)
        key = tl.load(keys + (b * M + m) * E + e, e < E, 0.0).to(p.dtype.element_ty)
        weight = sigmoid(tl.sum(query * key, 1))
        tl.store(p + row * M + m, weight, k < K)
        score += weight  # the sum puts them in the order of the mean
        if dropout is not None:
            weight *= tl.load(dropout + row * M + m, k < K, 0.0)
        value = tl.load(values + (b * M + m) * V + v, v < V, 0.0)
        at = inputs + row[:, None] * (M * V + D) + m * V + v
        tl.store(at, weight[:, None] * value, (k < K)[:, None] & (v < V))

    # NaN comes first, as in torch's sort; of equal scores the lower index
    score = tl.where((score == score) & (k >= ALWAYS), score, float("inf"))
    score = tl.where(k < K, score, -1.0)
    mine, other = score[:, None], score[None, :]
    better = (other > mine) | ((other == mine) & (k[None, :] < k[:, None]))
    takes = tl.sum(better.to(tl.int32), 1) < A
    if padding is not None:
        takes = takes & (tl.load(padding + b) == 0)
    tl.store(active + row, takes, k < K)


@triton.jit
def part_of(
    x, bias, part, PARTS: tl.constexpr, row, unit, real,
    dtype: tl.constexpr, K: tl.constexpr, D: tl.constexpr,
):  # fmt: skip
    """Some elements of one of the PARTS, D wide each, that rows of x have side by side (low), and
    what bias (K x PARTS*D) has for them."""
    at = part * D + unit
    value = tl.load(x + row * PARTS * D + at, real, 0.0).to(dtype)
    return value + tl.load(bias + row % K * PARTS * D + at, real, 0.0)


@triton.jit
def gates_of(gates, bias, row, unit, real, dtype: tl.constexpr, K: tl.constexpr, D: tl.constexpr):
    """i, f, g and o of some elements."""
    i = part_of(gates, bias, 0, 4, row, unit, real, dtype, K, D)
    f = part_of(gates, bias, 1, 4, row, unit, real, dtype, K, D)
    g = part_of(gates, bias, 2, 4, row, unit, real, dtype, K, D)
    o = part_of(gates, bias, 3, 4, row, unit, real, dtype, K, D)
    return sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)


@triton.jit
def lstm(
    gates, bias, active, h_before, c_before, h, c, h_low, WIDTH: tl.constexpr,
    size, K: tl.constexpr, D: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """The next h and c of active mechanisms and, bit for bit, the old ones of the others.

    From gates B x K x 4D (low, without the bias, K x 4D), active, h_before and c_before to h and
    c, B x K x D, and h_low, which is h in low and in rows of WIDTH.
    """
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    real = at < size
    row, unit = at // D, at % D
    takes = tl.load(active + row, real, 0) != 0
    i, f, g, o = gates_of(gates, bias, row, unit, real, c.dtype.element_ty, K, D)
    old = tl.load(c_before + at, real, 0.0)
    new = f * old + i * g
    tl.store(c + at, tl.where(takes, new, old), real)
    state = tl.where(takes, o * tanh(new), tl.load(h_before + at, real, 0.0))
    tl.store(h + at, state, real)
    tl.store(h_low + row * WIDTH + unit, state, real)


@triton.jit
def attention(
    qkv, b, head, K: tl.constexpr, C: tl.constexpr, F: tl.constexpr, G: tl.constexpr
):  # fmt: skip
    """Queries, keys and values of one head of a sentence, and the weights, K x K."""
    dtype: tl.constexpr = tl.float64 if qkv.dtype.element_ty == tl.float64 else tl.float32
    k = tl.arange(0, tile(K))
    f = tl.arange(0, tile(F))
    g = tl.arange(0, tile(G))
    row = qkv + (b * K + k[:, None]) * C * (2 * F + G)
    query = tl.load(row + head * F + f, (k < K)[:, None] & (f < F), 0.0).to(dtype)
    key = tl.load(row + (C + head) * F + f, (k < K)[:, None] & (f < F), 0.0).to(dtype)
    value = tl.load(row + 2 * C * F + head * G + g, (k < K)[:, None] & (g < G), 0.0).to(dtype)
    scores = tl.dot(query, tl.trans(key), input_precision="ieee") * F**-0.5
    scores = tl.where(k[None, :] < K, scores, float("-inf"))
    weights = tl.exp(scores - tl.max(scores, 1)[:, None])
    return query, key, value, weights / tl.sum(weights, 1)[:, None]


@triton.jit
def attend(
    qkv, dropout, o, K: tl.constexpr, C: tl.constexpr, F: tl.constexpr, G: tl.constexpr
):  # fmt: skip
    """What mechanisms read of each other.

    From qkv B x K x C*(F + F + G), queries of all heads, then keys, then values (low), and
    dropout (B x C x K x K or None) to o B x K x C*G (low).
    """
    b, head = tl.program_id(0), tl.program_id(1)
    k = tl.arange(0, tile(K))
    g = tl.arange(0, tile(G))
    _, _, value, weights = attention(qkv, b, head, K, C, F, G)
    if dropout is not None:
        at = dropout + ((b * C + head) * K + k[:, None]) * K + k[None, :]
        weights *= tl.load(at, (k < K)[:, None] & (k < K)[None, :], 0.0)
    read = tl.dot(weights, value, input_precision="ieee")
    at = o + ((b * K + k[:, None]) * C + head) * G + g
    tl.store(at, read, (k < K)[:, None] & (g < G))


@triton.jit
def gated_of(maps, bias, row, unit, real, dtype: tl.constexpr, K: tl.constexpr, D: tl.constexpr):
    """The two factors of what gated communication adds to some elements."""
    gate = part_of(maps, bias, 0, 2, row, unit, real, dtype, K, D)
    output = part_of(maps, bias, 1, 2, row, unit, real, dtype, K, D)
    return sigmoid(gate), tanh(output)


@triton.jit
def add(
    update, bias, active, h, h_low, WIDTH: tl.constexpr,
    size, K: tl.constexpr, D: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """h (B x K x D) += what is communicated, where a mechanism is active; h_low as in `lstm`.

    That is update (low), B x K x D; or, with a bias, K x 2D, the gated projection, whose maps are
    side by side in update, B x K x 2D, the gate first.
    """
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    real = at < size
    row, unit = at // D, at % D
    takes = tl.load(active + row, real, 0) != 0
    state = tl.load(h + at, real, 0.0)
    if bias is not None:
        gate, output = gated_of(update, bias, row, unit, real, h.dtype.element_ty, K, D)
        read = gate * output
    else:
        read = tl.load(update + at, real, 0.0)
    state = tl.where(takes, state + read, state)
    tl.store(h + at, state, real)
    tl.store(h_low + row * WIDTH + unit, state, real)


@triton.jit
def add_backward(
    d_out, d_next, update, bias, active, d_h, d_update, WIDTH: tl.constexpr,
    size, K: tl.constexpr, D: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """To d_h, which is what the next step kept of it, add d_out and d_next, what that step's
    products say (low, in rows of WIDTH). From d_h to d_update (None without communication), laid
    out as update is; update itself is None where the projection is linear."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    real = at < size
    row, unit = at // D, at % D
    d_state = tl.load(d_h + at, real, 0.0) + tl.load(d_out + at, real, 0.0)
    d_state += tl.load(d_next + row * WIDTH + unit, real, 0.0)
    tl.store(d_h + at, d_state, real)
    if d_update is not None:
        d_read = tl.where(tl.load(active + row, real, 0) != 0, d_state, 0.0)
        if bias is not None:
            gate, output = gated_of(update, bias, row, unit, real, d_h.dtype.element_ty, K, D)
            to = d_update + row * 2 * D + unit
            tl.store(to, d_read * output * gate * (1 - gate), real)
            tl.store(to + D, d_read * gate * (1 - output * output), real)
        else:
            tl.store(d_update + at, d_read, real)


@triton.jit
def attend_backward(
    qkv, dropout, d_o, d_qkv, K: tl.constexpr, C: tl.constexpr, F: tl.constexpr, G: tl.constexpr
):  # fmt: skip
    """From d_o to d_qkv, laid out as o and qkv are."""
    b, head = tl.program_id(0), tl.program_id(1)
    k = tl.arange(0, tile(K))
    f = tl.arange(0, tile(F))
    g = tl.arange(0, tile(G))
    query, key, value, weights = attention(qkv, b, head, K, C, F, G)
    at = d_o + ((b * K + k[:, None]) * C + head) * G + g
    d_read = tl.load(at, (k < K)[:, None] & (g < G), 0.0).to(weights.dtype)
    d_weights = tl.dot(d_read, tl.trans(value), input_precision="ieee")
    dropped = weights
    if dropout is not None:
        at = dropout + ((b * C + head) * K + k[:, None]) * K + k[None, :]
        mask = tl.load(at, (k < K)[:, None] & (k < K)[None, :], 0.0)
        dropped *= mask
        d_weights *= mask
    d_value = tl.dot(tl.trans(dropped), d_read, input_precision="ieee")
    d_scores = weights * (d_weights - tl.sum(d_weights * weights, 1)[:, None]) * F**-0.5
    d_query = tl.dot(d_scores, key, input_precision="ieee")
    d_key = tl.dot(tl.trans(d_scores), query, input_precision="ieee")
    row = d_qkv + (b * K + k[:, None]) * C * (2 * F + G)
    tl.store(row + head * F + f, d_query, (k < K)[:, None] & (f < F))
    tl.store(row + (C + head) * F + f, d_key, (k < K)[:, None] & (f < F))
    tl.store(row + 2 * C * F + head * G + g, d_value, (k < K)[:, None] & (g < G))


@triton.jit
def lstm_backward(
    gates, bias, active, c_before, d_read, d_h, d_c, d_gates,
    size, K: tl.constexpr, D: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """From d_h and d_c to d_gates (low), and to what of d_h and d_c was kept from before the step:
    all where a mechanism is not active, else of d_h nothing. d_read (low, or None) adds to d_h.
    """
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    real = at < size
    row, unit = at // D, at % D
    takes = tl.load(active + row, real, 0) != 0
    i, f, g, o = gates_of(gates, bias, row, unit, real, d_c.dtype.element_ty, K, D)
    c = tl.load(c_before + at, real, 0.0)
    squashed = tanh(f * c + i * g)
    d_state = tl.load(d_h + at, real, 0.0)
    if d_read is not None:
        d_state += tl.load(d_read + at, real, 0.0)
    d_old = tl.load(d_c + at, real, 0.0)
    d_new = d_old + d_state * o * (1 - squashed * squashed)
    to = d_gates + row * 4 * D + unit
    tl.store(to, tl.where(takes, d_new * g * i * (1 - i), 0.0), real)
    tl.store(to + D, tl.where(takes, d_new * c * f * (1 - f), 0.0), real)
    tl.store(to + 2 * D, tl.where(takes, d_new * i * (1 - g * g), 0.0), real)
    tl.store(to + 3 * D, tl.where(takes, d_state * squashed * o * (1 - o), 0.0), real)
    tl.store(d_c + at, tl.where(takes, d_new * f, d_old), real)
    tl.store(d_h + at, tl.where(takes, 0.0, d_state), real)


@triton.jit
def select_backward(
    queries, keys, values, dropout, p, active, d_inputs, d_queries, d_keys, d_values,
    K: tl.constexpr, M: tl.constexpr, E: tl.constexpr, V: tl.constexpr, D: tl.constexpr,
):  # fmt: skip
    """From d_inputs to d_queries, d_keys and d_values, one head of a sentence."""
    b, m = tl.program_id(0), tl.program_id(1)
    k = tl.arange(0, tile(K))
    e = tl.arange(0, tile(E))
    v = tl.arange(0, tile(V))
    row = b * K + k
    at = d_inputs + row[:, None] * (M * V + D) + m * V + v
    weight = tl.load(p + row * M + m, k < K, 0.0)
    d_read = tl.load(at, (k < K)[:, None] & (v < V), 0.0).to(weight.dtype)
    d_weight = tl.sum(d_read * tl.load(values + (b * M + m) * V + v, v < V, 0.0), 1)
    dropped = weight
    if dropout is not None:
        mask = tl.load(dropout + row * M + m, k < K, 0.0)
        dropped *= mask
        d_weight *= mask
    d_value = tl.sum(dropped[:, None] * d_read, 0)
    tl.store(d_values + (b * M + m) * V + v, d_value, v < V)

    takes = tl.load(active + row, k < K, 0) != 0
    d_score = tl.where(takes, d_weight * weight * (1 - weight), 0.0)[:, None]
    at = (row[:, None] * M + m) * E + e
    query = tl.load(queries + at, (k < K)[:, None] & (e < E), 0.0)
    key = tl.load(keys + (b * M + m) * E + e, e < E, 0.0)
    tl.store(d_queries + at, d_score * key, (k < K)[:, None] & (e < E))
    tl.store(d_keys + (b * M + m) * E + e, tl.sum(d_score * query, 0), e < E)
