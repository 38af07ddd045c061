// A RIM layer over a whole sequence on the processor, forward and backward (cpu.py calls it).
//
// The plain layer (rim.py) computes every mechanism at every step and throws away what inactive
// ones would have done. Here only the A active mechanisms of each sentence are computed: the rows
// (sentences) for which mechanism k is active are gathered, go through k's matrices as one product,
// and are scattered back. What is read of a sleeping mechanism (its query on the input, its key and
// value in the communication) is computed once when it falls asleep and kept until it wakes.
//
// Names: T steps, B sentences, K mechanisms of width d, A active; input attention with M heads,
// keys of e, values of v; communication with C heads, keys of f, values of g, whose projection
// gives u numbers: d or, where it is gated, 2d (gate, then what passes it). A *pair* is one active
// mechanism of one sentence at one step. A *read* is one computation of a mechanism's key and value
// in the communication. What is kept of pairs and reads for the backward pass lies in rows, by
// mechanism and within one by step: at each step a mechanism has some consecutive rows, and those
// of all steps are consecutive too, so that the gradient of a weight is one large product. The
// reads of a step are first those of the active sentences, then those of the sentences fallen
// asleep.
//
// The batch is cut into slices, one a thread; every slice has rows and scratch of its own.
//
// Numbers are R; what goes into matrix products is W: R itself, or bfloat16 where R is float.
// Weights come in W, everything else is rounded for each product, whose result is in R.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

using bfloat16 = uint16_t;  // the upper half of a float

extern "C" {  // BLAS, from the library that PyTorch brings
void sgemm_(const char *, const char *, const int *, const int *, const int *, const float *,
            const float *, const int *, const float *, const int *, const float *, float *,
            const int *);
void dgemm_(const char *, const char *, const int *, const int *, const int *, const double *,
            const double *, const int *, const double *, const int *, const double *, double *,
            const int *);
// MKL's; missing where PyTorch brings another library (cpu.py asks)
__attribute__((weak)) void gemm_bf16bf16f32_(const char *, const char *, const int *, const int *,
                                             const int *, const float *, const bfloat16 *,
                                             const int *, const bfloat16 *, const int *,
                                             const float *, float *, const int *);
}

// exp and tanh of several numbers at a time are in glibc's libmvec, NaN and infinities as in those
// of one number. Its headers declare them for -ffast-math only, under which a compiler takes it
// that there are no NaN and no infinities. Elsewhere the loops that call them take one at a time.
#if defined __x86_64__ && defined __GLIBC__ && !defined __clang__
#if __GLIBC_PREREQ(2, 35)
extern "C" {
__attribute__((simd("notinbranch"))) float expf(float) noexcept;
__attribute__((simd("notinbranch"))) float tanhf(float) noexcept;
__attribute__((simd("notinbranch"))) double exp(double) noexcept;
__attribute__((simd("notinbranch"))) double tanh(double) noexcept;
}
#endif
#endif

namespace {

void blas(const char *ta, const char *tb, const int *m, const int *n, const int *k, const float *x,
          const float *a, const int *lda, const float *b, const int *ldb, const float *y, float *c,
          const int *ldc) {
    sgemm_(ta, tb, m, n, k, x, a, lda, b, ldb, y, c, ldc);
}
void blas(const char *ta, const char *tb, const int *m, const int *n, const int *k, const double *x,
          const double *a, const int *lda, const double *b, const int *ldb, const double *y,
          double *c, const int *ldc) {
    dgemm_(ta, tb, m, n, k, x, a, lda, b, ldb, y, c, ldc);
}
void blas(const char *ta, const char *tb, const int *m, const int *n, const int *k, const float *x,
          const bfloat16 *a, const int *lda, const bfloat16 *b, const int *ldb, const float *y,
          float *c, const int *ldc) {
    gemm_bf16bf16f32_(ta, tb, m, n, k, x, a, lda, b, ldb, y, c, ldc);
}

// A stored matrix as a product takes it: where it lies, or rounded into a copy without gaps.
template <class W>
struct Operand {
    std::unique_ptr<W[]> copy;
    const W *data;
    int ld;  // distance between stored rows

    Operand(const W *x, long, long, long ld) : data(x), ld(ld) {}
    template <class R>
    Operand(const R *x, long rows, long columns, long x_ld)
        : copy(new W[rows * columns]), data(copy.get()), ld(columns) {
        W *to = copy.get();
        for (long i = 0; i < rows; i++, x += x_ld, to += columns)
            for (long l = 0; l < columns; l++) {  // to the nearest; halfway to the even one
                const auto bits = std::bit_cast<uint32_t>(x[l]);
                const uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
                to[l] = x[l] == x[l] ? rounded : 0x7fc0;  // NaN, which carries would change
            }
    }
};

// Row-major c (rows x columns) = op(a) op(b) + keep * c; `inner` is the summed dimension, ld* are
// the distances between stored rows.
template <class W, class A, class B, class R>
void product(long rows, long columns, long inner, const A *a, long lda, bool a_transposed,
             const B *b, long ldb, bool b_transposed, R *c, long ldc, int keep = 0) {
    if (!rows || !columns || !inner) return;
    const Operand<W> left(a, a_transposed ? inner : rows, a_transposed ? rows : inner, lda);
    const Operand<W> right(b, b_transposed ? columns : inner, b_transposed ? inner : columns, ldb);
    const int m = rows, n = columns, k = inner, lc = ldc;
    const R one = 1, old = keep;
    blas(b_transposed ? "T" : "N", a_transposed ? "T" : "N", &n, &m, &k, &one, right.data,
         &right.ld, left.data, &left.ld, &old, c, &lc);
}

template <class R>
R sigmoid(R x) {
    return 1 / (1 + std::exp(-x));
}

}  // namespace

// Python fills both structs from the names in these lists, which the library tells it: nothing else
// knows the order of their members.

#define SIZES(FIELD)                                                                               \
    FIELD(T) FIELD(B) FIELD(K) FIELD(A) FIELD(d) FIELD(M) FIELD(e) FIELD(v) FIELD(C) FIELD(f)      \
    FIELD(g) FIELD(u) FIELD(slices)                                                                \
    FIELD(always) /* of the A, so many are the first mechanisms */                                 \
    FIELD(save)   /* keep what the backward pass needs; otherwise every step reuses the rows */

// All arrays are contiguous, in the order of the letters; P is the number of rows.
#define ARRAYS(FIELD)                                                                              \
    /* the layer */                                                                                \
    FIELD(const W, query)    /* K d Me */                                                          \
    FIELD(const W, gates)    /* K (Mv+d) 4d: from what is read and, below, from the state */       \
    FIELD(const R, bias)     /* K 4d */                                                            \
    FIELD(const W, comm_q)   /* K d Cf */                                                          \
    FIELD(const W, comm_kv)  /* K d C(f+g): keys, then values */                                   \
    FIELD(const W, project)  /* K Cg u */                                                          \
    FIELD(const R, gated)    /* K 2d: biases; null where the projection is not gated */            \
    /* the input */                                                                                \
    FIELD(const R, keys)           /* T B Me, divided by sqrt(e) */                                \
    FIELD(const R, values)         /* T B Mv */                                                    \
    FIELD(const uint8_t, padding)  /* T B or null */                                               \
    FIELD(const R, read_mask)      /* T B A M or null: dropout, 0 or 1/(1-rate) */                 \
    FIELD(const R, comm_mask)      /* T B A C K or null */                                         \
    FIELD(const R, h0)             /* B K d */                                                     \
    FIELD(const R, c0)             /* B K d */                                                     \
    FIELD(const int64_t, bounds)   /* slices+1: sentences of each slice */                         \
    /* the result */                                                                               \
    FIELD(R, out)           /* T B K d */                                                          \
    FIELD(R, c)             /* B K d: the final c */                                               \
    FIELD(uint8_t, active)  /* T B K */                                                            \
    /* kept for the backward pass: pairs */                                                        \
    FIELD(int64_t, pair_rows)  /* slices T+1 K: first row of each mechanism at each step */        \
    FIELD(int32_t, sentence)   /* P */                                                             \
    FIELD(int32_t, dropped)    /* P: row of the masks */                                           \
    FIELD(R, p)                /* P M */                                                           \
    FIELD(R, q)                /* P Me */                                                          \
    FIELD(R, gate)             /* P 4d: i f g o */                                                 \
    FIELD(R, c_before)         /* P d */                                                           \
    FIELD(R, h_mid)            /* P d: after the dynamics */                                       \
    FIELD(R, cq)               /* P Cf */                                                          \
    FIELD(R, weight)           /* P C K */                                                         \
    FIELD(R, o)                /* P Cg */                                                          \
    FIELD(R, update)           /* P 2d: gated only */                                              \
    /* kept for the backward pass: reads */                                                        \
    FIELD(int64_t, read_rows)  /* slices T+1 K */                                                  \
    FIELD(int32_t, reader)     /* P: sentence */                                                   \
    FIELD(int32_t, read_of)    /* T B K: row of the read that is valid */                          \
    FIELD(R, h_read)           /* P d: what was read */                                            \
    FIELD(R, kv)               /* P C(f+g) */                                                      \
    /* backward only */                                                                            \
    FIELD(const R, d_out)  /* T B K d */                                                           \
    FIELD(R, d_h)          /* B K d: of the final state, becomes that of the initial state */      \
    FIELD(R, d_c)          /* B K d: likewise */                                                   \
    FIELD(R, d_keys)                                                                               \
    FIELD(R, d_values)                                                                             \
    FIELD(R, d_kv)  /* P C(f+g) */                                                                 \
    FIELD(R, d_query)                                                                              \
    FIELD(R, d_gates)                                                                              \
    FIELD(R, d_bias)                                                                               \
    FIELD(R, d_comm_q)                                                                             \
    FIELD(R, d_comm_kv)                                                                            \
    FIELD(R, d_project)                                                                            \
    FIELD(R, d_gated)

struct Sizes {
#define MEMBER(name) int64_t name;
    SIZES(MEMBER)
#undef MEMBER
};

template <class R, class W>
struct Arrays {
#define MEMBER(type, name) type *name;
    ARRAYS(MEMBER)
#undef MEMBER

    // The backward pass writes gradients over what it has used up; they have names of their own.
    R *d_q() const { return q; }             // P Me
    R *d_gate() const { return gate; }       // P 4d: before the nonlinearity
    R *d_h_new() const { return c_before; }  // P d: of h'
    R *d_cq() const { return cq; }           // P Cf
    // P u: of what the projection gives, before the nonlinearity where it is gated
    R *d_update() const { return gated ? update : d_h_new(); }
};

#define COUNT(...) +1
static_assert(sizeof(Sizes) == sizeof(int64_t) * (SIZES(COUNT)));
static_assert(sizeof(Arrays<float, float>) == sizeof(void *) * (ARRAYS(COUNT)));
static_assert(sizeof(Arrays<double, double>) == sizeof(Arrays<float, float>));
static_assert(sizeof(Arrays<float, bfloat16>) == sizeof(Arrays<float, float>));
#undef COUNT

namespace {

template <class R, class W>
struct Slice {
    const Sizes &s;
    const Arrays<R, W> &a;
    const long number, begin, end, Me, Mv, X, Cf, KV, Cg, D;

    Slice(const Sizes &s, const Arrays<R, W> &a, long number)
        : s(s), a(a), number(number), begin(a.bounds[number]), end(a.bounds[number + 1]),
          Me(s.M * s.e), Mv(s.M * s.v), X(Mv + s.d), Cf(s.C * s.f), KV(s.C * (s.f + s.g)),
          Cg(s.C * s.g), D(s.K * s.d) {}

    long size() const { return end - begin; }
    long first_row(long k) const { return (s.save ? s.T : 1) * (begin * s.K + size() * k); }
    int64_t *pairs(long t) const { return a.pair_rows + (number * (s.T + 1) + t) * s.K; }
    int64_t *reads(long t) const { return a.read_rows + (number * (s.T + 1) + t) * s.K; }
    int32_t *read_of(long t) const { return a.read_of + (s.save ? t * s.B * s.K : 0); }
    bool padded(long t, long b) const { return a.padding && a.padding[t * s.B + b]; }
    const R *h_before(long t, long b) const {
        return (t ? a.out + (t - 1) * s.B * D : a.h0) + b * D;
    }

    void forward();
    void backward();
    void read_input(long t, long row, R *u) const;

  private:
    // Of a step, in both passes: rows of the pairs, A for each sentence, -1 where it is padded. In
    // this order what several mechanisms read of one sentence is still at hand.
    std::vector<long> by_sentence;

    // Of the step that is computed, by sentence of the slice and mechanism:
    std::vector<R> queries;        // Me
    std::vector<R> attention;      // M: how much of the input each mechanism would read
    std::vector<uint8_t> changed;  // whether the state has changed since it was last read
    // by mechanism: sentences for which it is active, and for which it has just stopped to be
    std::vector<std::vector<int>> awake, asleep;
    std::vector<int> asking;            // sentences of project_queries
    std::vector<R> gathered, computed;  // rows on their way into and out of a product

    void project_queries(long t, long k);
    void select(long t);
    void carry_over(long t);
    void start_pairs(long t, long k);
    void lstm(long t, long k);
    void project_reads(long t, long k);
    void attend(long t, long row);
    void add(long t, long k);

    // Gradients of the step that is differentiated:
    std::vector<R> d_h_new;            // of h', by mechanism and awake sentence: d
    std::vector<R> d_o;                // by pair: Cg
    std::vector<const R *> d_o_of;     // as by_sentence: rows of d_o
    std::vector<R> d_h_read;           // of one mechanism's reads, through the communication: d
    std::vector<R> d_inputs;           // of one mechanism's gates: X
    std::vector<R> d_weight, d_query;  // of one head of a pair: K, f

    void add_backward(long t, long k, R *d_o_rows);
    // g++ 12 makes its loops slower by half where it inlines them into the one of backward().
    [[gnu::noinline]] void attend_backward(long t, long row, const R *d_o);
    void project_reads_backward(long t, long k);
    void lstm_backward(long t, long k);
    void read_input_backward(long t, long row, const R *d_u);
    void start_pairs_backward(long t, long k);

    const R *comm_mask(long row, long head) const {
        return a.comm_mask ? a.comm_mask + (a.dropped[row] * s.C + head) * s.K : nullptr;
    }
    // The place of a pair in by_sentence.
    long place(long t, long row) const { return a.dropped[row] - (t * s.B + begin) * s.A; }
};

template <class R, class W>
void Slice<R, W>::forward() {
    const long K = s.K, most = size();
    gathered.resize(most * X), computed.resize(most * std::max({Me, KV, long(s.d)}));
    queries.resize(most * K * Me), attention.resize(most * K * s.M), changed.assign(most * K, 1);
    awake.resize(K), asleep.resize(K);
    std::copy(a.c0 + begin * D, a.c0 + end * D, a.c + begin * D);
    for (long k = 0; k < K; k++) pairs(0)[k] = reads(0)[k] = first_row(k);

    for (long t = 0; t < s.T; t++) {
        for (long k = 0; k < K; k++) project_queries(t, k);
        select(t);
        carry_over(t);
        by_sentence.assign(most * s.A, -1);
        for (long k = 0; k < K; k++) {
            start_pairs(t, k);
            lstm(t, k);
            if (s.C) project_reads(t, k);
            const long read = s.C ? awake[k].size() + asleep[k].size() : 0;
            pairs(t + 1)[k] = pairs(t)[k] + (s.save ? awake[k].size() : 0);
            reads(t + 1)[k] = reads(t)[k] + (s.save ? read : 0);
        }
        for (long row : by_sentence)
            if (s.C && row >= 0) attend(t, row);
        for (long k = 0; k < K; k++) add(t, k);
        for (long b = begin; b < end; b++)
            if (!padded(t, b))
                std::copy_n(a.active + (t * s.B + b) * K, K, &changed[(b - begin) * K]);
    }
}

// Queries on the input of mechanism k, where its state has changed.
template <class R, class W>
void Slice<R, W>::project_queries(long t, long k) {
    const long K = s.K, d = s.d;
    asking.clear();
    for (long b = begin; b < end; b++)
        if (changed[(b - begin) * K + k] && !padded(t, b)) asking.push_back(b);
    const long n = asking.size();
    for (long i = 0; i < n; i++) std::copy_n(h_before(t, asking[i]) + k * d, d, &gathered[i * d]);
    product<W>(n, Me, d, gathered.data(), d, false, a.query + k * d * Me, Me, false,
               computed.data(), Me);
    for (long i = 0; i < n; i++)
        std::copy_n(&computed[i * Me], Me, &queries[((asking[i] - begin) * K + k) * Me]);
}

// Whether x comes before y where numbers are sorted downwards: NaN first, as in torch.
template <class R>
bool above(R x, R y) {
    return x > y || (x != x && y == y);
}

// The first `always` mechanisms and, of the others, those with the highest mean attention on the
// input, A in all; the lower index where they tie.
// Sentences are noted as awake or, where a mechanism has just stopped being active, as asleep.
template <class R, class W>
void Slice<R, W>::select(long t) {
    const long K = s.K;
    std::vector<R> interest(K);
    for (long k = 0; k < K; k++) awake[k].clear(), asleep[k].clear();
    for (long b = begin; b < end; b++) {
        uint8_t *active = a.active + (t * s.B + b) * K;
        std::fill_n(active, K, 0);
        if (padded(t, b)) continue;
        const R *key = a.keys + (t * s.B + b) * Me;
        for (long k = 0; k < K; k++) {
            const long place = (b - begin) * K + k;
            const R *q = &queries[place * Me];
            interest[k] = 0;
            for (long m = 0; m < s.M; m++) {
                R score = 0;
#pragma omp simd reduction(+ : score)
                for (long l = m * s.e; l < (m + 1) * s.e; l++) score += q[l] * key[l];
                interest[k] += attention[place * s.M + m] = sigmoid(score);
            }
        }
        std::fill_n(active, s.always, 1);
        for (long chosen = s.always; chosen < s.A; chosen++) {
            long best = -1;
            for (long k = 0; k < K; k++)
                if (!active[k] && (best < 0 || above(interest[k], interest[best]))) best = k;
            active[best] = 1;
        }
        for (long k = 0; k < K; k++) {
            if (active[k]) awake[k].push_back(b);
            else if (changed[(b - begin) * K + k]) asleep[k].push_back(b);
        }
    }
}

// Where nobody is active the state is the one before, and what is read of it stays as it was.
template <class R, class W>
void Slice<R, W>::carry_over(long t) {
    const R *before = h_before(t, begin);
    std::copy(before, before + size() * D, a.out + (t * s.B + begin) * D);
    if (s.save && t)
        std::copy_n(read_of(t - 1) + begin * s.K, size() * s.K, read_of(t) + begin * s.K);
}

// The pairs of mechanism k get their rows; what goes into their gates is gathered.
template <class R, class W>
void Slice<R, W>::start_pairs(long t, long k) {
    const long d = s.d;
    long row = pairs(t)[k];
    R *input = gathered.data();
    for (const long b : awake[k]) {
        const long state = (b - begin) * s.K + k;
        const uint8_t *active = a.active + (t * s.B + b) * s.K;
        a.sentence[row] = b;
        a.dropped[row] = (t * s.B + b) * s.A + std::count(active, active + k, 1);
        by_sentence[place(t, row)] = row;
        std::copy_n(&attention[state * s.M], s.M, a.p + row * s.M);
        if (s.save) std::copy_n(&queries[state * Me], Me, a.q + row * Me);
        read_input(t, row, input);
        std::copy_n(h_before(t, b) + k * d, d, input + Mv);
        row++, input += X;
    }
}

// u: what the mechanism of a pair reads of the input.
template <class R, class W>
void Slice<R, W>::read_input(long t, long row, R *u) const {
    const R *value = a.values + (t * s.B + a.sentence[row]) * Mv;
    for (long m = 0; m < s.M; m++) {
        R weight = a.p[row * s.M + m];
        if (a.read_mask) weight *= a.read_mask[a.dropped[row] * s.M + m];
        for (long l = m * s.v; l < (m + 1) * s.v; l++) u[l] = weight * value[l];
    }
}

// c and the h after the dynamics, from what was gathered.
template <class R, class W>
void Slice<R, W>::lstm(long t, long k) {
    const long d = s.d, n = awake[k].size(), at = pairs(t)[k];
    R *gate = a.gate + at * 4 * d;
    product<W>(n, 4 * d, X, gathered.data(), X, false, a.gates + k * X * 4 * d, 4 * d, false, gate,
               4 * d);
    const R *bias = a.bias + k * 4 * d;
    for (long i = 0; i < n; i++, gate += 4 * d) {
        R *c = a.c + awake[k][i] * D + k * d, *h = a.h_mid + (at + i) * d;
        R *before = a.c_before + (at + i) * d;
#pragma omp simd
        for (long l = 0; l < d; l++) {
            const R i = sigmoid(gate[l] + bias[l]);
            const R f = sigmoid(gate[d + l] + bias[d + l]);
            const R g = std::tanh(gate[2 * d + l] + bias[2 * d + l]);
            const R o = sigmoid(gate[3 * d + l] + bias[3 * d + l]);
            gate[l] = i, gate[d + l] = f, gate[2 * d + l] = g, gate[3 * d + l] = o;
            before[l] = c[l];
            c[l] = f * c[l] + i * g;
            h[l] = o * std::tanh(c[l]);
        }
    }
}

// Queries of the pairs of mechanism k, and the keys and values that are read of it from now on:
// those of awake sentences, then of those fallen asleep.
template <class R, class W>
void Slice<R, W>::project_reads(long t, long k) {
    const long d = s.d, at = pairs(t)[k], row = reads(t)[k];
    const auto &sentences = awake[k];
    const long n = sentences.size(), count = n + asleep[k].size();
    product<W>(n, Cf, d, a.h_mid + at * d, d, false, a.comm_q + k * d * Cf, Cf, false,
               a.cq + at * Cf, Cf);
    R *h = a.h_read + row * d;
    std::copy_n(a.h_mid + at * d, n * d, h);
    h += n * d;
    for (int b : asleep[k]) std::copy_n(h_before(t, b) + k * d, d, h), h += d;
    R *kv = s.save ? a.kv + row * KV : computed.data();
    product<W>(count, KV, d, a.h_read + row * d, d, false, a.comm_kv + k * d * KV, KV, false, kv,
               KV);
    for (long i = 0; i < count; i++) {
        const long b = i < n ? sentences[i] : asleep[k][i - n];
        const long where = s.save ? row + i : b * s.K + k;
        a.reader[row + i] = b;
        read_of(t)[b * s.K + k] = where;
        if (!s.save) std::copy_n(kv + i * KV, KV, a.kv + where * KV);
    }
}

// What the mechanism of a pair reads of all mechanisms of its sentence: o.
template <class R, class W>
void Slice<R, W>::attend(long t, long row) {
    const R scale = 1 / std::sqrt(R(s.f));
    const int32_t *reads = read_of(t) + a.sentence[row] * s.K;
    std::fill_n(a.o + row * Cg, Cg, R(0));
    for (long head = 0; head < s.C; head++) {
        const R *q = a.cq + row * Cf + head * s.f;
        R *w = a.weight + (row * s.C + head) * s.K, *o = a.o + row * Cg + head * s.g;
        const R *mask = comm_mask(row, head);
        R largest = std::numeric_limits<R>::lowest(), sum = 0;
        for (long k = 0; k < s.K; k++) {
            const R *key = a.kv + reads[k] * KV + head * s.f;
            R score = 0;
#pragma omp simd reduction(+ : score)
            for (long l = 0; l < s.f; l++) score += q[l] * key[l];
            w[k] = score * scale;
            largest = std::max(largest, w[k]);
        }
        for (long k = 0; k < s.K; k++) sum += w[k] = std::exp(w[k] - largest);
        for (long k = 0; k < s.K; k++) {
            w[k] /= sum;
            const R *value = a.kv + reads[k] * KV + Cf + head * s.g;
            const R weight = mask ? w[k] * mask[k] : w[k];
            for (long l = 0; l < s.g; l++) o[l] += weight * value[l];
        }
    }
}

// h': to the h of the pairs of mechanism k is added what they have read.
template <class R, class W>
void Slice<R, W>::add(long t, long k) {
    const long d = s.d, n = awake[k].size(), at = pairs(t)[k];
    R *update = a.gated ? a.update + at * s.u : computed.data();
    if (s.C)
        product<W>(n, s.u, Cg, a.o + at * Cg, Cg, false, a.project + k * Cg * s.u, s.u, false,
                   update, s.u);
    for (long i = 0; i < n; i++, update += s.u) {
        R *h = a.out + (t * s.B + awake[k][i]) * D + k * d;
        const R *mid = a.h_mid + (at + i) * d;
        if (a.gated) {
            const R *bias = a.gated + k * s.u;
#pragma omp simd
            for (long l = 0; l < d; l++) {
                update[l] = sigmoid(update[l] + bias[l]);
                update[d + l] = std::tanh(update[d + l] + bias[d + l]);
                h[l] = mid[l] + update[l] * update[d + l];
            }
        } else {
            for (long l = 0; l < d; l++) h[l] = s.C ? mid[l] + update[l] : mid[l];
        }
    }
}

template <class R, class W>
void Slice<R, W>::backward() {
    const long K = s.K, most = size();
    d_h_new.resize(most * K * s.d), d_h_read.resize(most * s.d), d_inputs.resize(most * X);
    d_o.resize(most * s.A * Cg), d_o_of.resize(most * s.A);
    d_weight.resize(K), d_query.resize(s.f);
    for (long k = 0; k < K; k++)
        std::fill(a.d_kv + reads(0)[k] * KV, a.d_kv + reads(s.T)[k] * KV, R(0));

    for (long t = s.T - 1; t >= 0; t--) {
        for (long i = begin * D; i < end * D; i++) a.d_h[i] += a.d_out[t * s.B * D + i];
        by_sentence.assign(most * s.A, -1);
        R *d_o_rows = d_o.data();
        for (long k = 0; k < K; k++) {
            add_backward(t, k, d_o_rows);
            d_o_rows += (pairs(t + 1)[k] - pairs(t)[k]) * Cg;
        }
        for (long i = 0; i < most * s.A; i++)
            if (s.C && by_sentence[i] >= 0) attend_backward(t, by_sentence[i], d_o_of[i]);
        for (long k = 0; k < K; k++) {
            if (s.C) project_reads_backward(t, k);
            lstm_backward(t, k);
            start_pairs_backward(t, k);
        }
    }
}

// From d_h to d_h_new and, through the projection, to rows of d_o.
template <class R, class W>
void Slice<R, W>::add_backward(long t, long k, R *d_o_rows) {
    const long d = s.d, at = pairs(t)[k], n = pairs(t + 1)[k] - at;
    R *of_h = &d_h_new[k * size() * d];
    for (long i = 0; i < n; i++)
        std::copy_n(a.d_h + a.sentence[at + i] * D + k * d, d, of_h + i * d);
    if (!s.C) return;
    const R *of_update = of_h;
    if (a.gated) {
        const R *update = a.update + at * s.u;
        R *d_update = a.d_update() + at * s.u;
        of_update = d_update;
        for (long i = 0; i < n; i++, of_h += d, update += s.u, d_update += s.u)
            for (long l = 0; l < d; l++) {
                const R gate = update[l], passes = update[d + l];
                d_update[l] = of_h[l] * passes * gate * (1 - gate);
                d_update[d + l] = of_h[l] * gate * (1 - passes * passes);
            }
    }
    product<W>(n, Cg, s.u, of_update, s.u, false, a.project + k * Cg * s.u, s.u, true, d_o_rows,
               Cg);
    for (long row = at; row < at + n; row++, d_o_rows += Cg)
        by_sentence[place(t, row)] = row, d_o_of[place(t, row)] = d_o_rows;
}

// From d_o to d_cq and to the keys and values that were read, d_kv.
template <class R, class W>
void Slice<R, W>::attend_backward(long t, long row, const R *d_o) {
    const R scale = 1 / std::sqrt(R(s.f));
    const int32_t *reads = read_of(t) + a.sentence[row] * s.K;
    for (long head = 0; head < s.C; head++, d_o += s.g) {
        const R *q = a.cq + row * Cf + head * s.f;
        const R *w = a.weight + (row * s.C + head) * s.K, *mask = comm_mask(row, head);
        R mean = 0;
        for (long k = 0; k < s.K; k++) {
            const R *value = a.kv + reads[k] * KV + Cf + head * s.g;
            R *d_value = a.d_kv + reads[k] * KV + Cf + head * s.g;
            const R weight = mask ? w[k] * mask[k] : w[k];
            R sum = 0;
#pragma omp simd reduction(+ : sum)
            for (long l = 0; l < s.g; l++) {
                sum += d_o[l] * value[l];
                d_value[l] += weight * d_o[l];
            }
            d_weight[k] = mask ? sum * mask[k] : sum;
            mean += d_weight[k] * w[k];
        }
        std::fill(d_query.begin(), d_query.end(), R(0));
        for (long k = 0; k < s.K; k++) {
            const R d_score = w[k] * (d_weight[k] - mean) * scale;
            const R *key = a.kv + reads[k] * KV + head * s.f;
            R *d_key = a.d_kv + reads[k] * KV + head * s.f;
            for (long l = 0; l < s.f; l++) {
                d_query[l] += d_score * key[l];
                d_key[l] += d_score * q[l];
            }
        }
        std::copy(d_query.begin(), d_query.end(), a.d_cq() + row * Cf + head * s.f);
    }
}

// From the queries, keys and values of mechanism k to d_h_read; that of sleepers goes on to d_h.
template <class R, class W>
void Slice<R, W>::project_reads_backward(long t, long k) {
    const long d = s.d, at = pairs(t)[k], n = pairs(t + 1)[k] - at;
    const long from = reads(t)[k], count = reads(t + 1)[k] - from;
    product<W>(count, d, KV, a.d_kv + from * KV, KV, false, a.comm_kv + k * d * KV, KV, true,
               d_h_read.data(), d);
    product<W>(n, d, Cf, a.d_cq() + at * Cf, Cf, false, a.comm_q + k * d * Cf, Cf, true,
               d_h_read.data(), d, 1);
    for (long i = n; i < count; i++) {
        R *to = a.d_h + a.reader[from + i] * D + k * d;
        for (long l = 0; l < d; l++) to[l] += d_h_read[i * d + l];
    }
}

// From d_h_new, d_h_read and d_c to the gates, d_inputs and the d_c before. d_h_new goes where the
// gradients of the weights find it.
template <class R, class W>
void Slice<R, W>::lstm_backward(long t, long k) {
    const long d = s.d, at = pairs(t)[k], n = pairs(t + 1)[k] - at;
    for (long row = 0; row < n; row++) {
        const R *gate = a.gate + (at + row) * 4 * d, *before = a.c_before + (at + row) * d;
        R *d_gate = a.d_gate() + (at + row) * 4 * d, *kept = a.d_h_new() + (at + row) * d;
        R *d_c = a.d_c + a.sentence[at + row] * D + k * d;
        const R *of_h = &d_h_new[(k * size() + row) * d];
#pragma omp simd
        for (long l = 0; l < d; l++) {
            const R i = gate[l], f = gate[d + l], g = gate[2 * d + l], o = gate[3 * d + l];
            const R of_mid = of_h[l] + (s.C ? d_h_read[row * d + l] : 0);
            const R tanh_c = std::tanh(f * before[l] + i * g);
            const R of_c = d_c[l] + of_mid * o * (1 - tanh_c * tanh_c);
            d_gate[l] = of_c * g * i * (1 - i);
            d_gate[d + l] = of_c * before[l] * f * (1 - f);
            d_gate[2 * d + l] = of_c * i * (1 - g * g);
            d_gate[3 * d + l] = of_mid * tanh_c * o * (1 - o);
            d_c[l] = of_c * f;
            kept[l] = of_h[l];
        }
    }
    product<W>(n, X, 4 * d, a.d_gate() + at * 4 * d, 4 * d, false, a.gates + k * X * 4 * d, 4 * d,
               true, d_inputs.data(), X);
}

// From d_u to d_q, d_keys and d_values.
template <class R, class W>
void Slice<R, W>::read_input_backward(long t, long row, const R *d_u) {
    const long at = t * s.B + a.sentence[row];
    const R *p = a.p + row * s.M, *q = a.q + row * Me;
    const R *key = a.keys + at * Me, *value = a.values + at * Mv;
    R *d_q = a.d_q() + row * Me, *d_key = a.d_keys + at * Me, *d_value = a.d_values + at * Mv;
    for (long m = 0; m < s.M; m++) {
        const R mask = a.read_mask ? a.read_mask[a.dropped[row] * s.M + m] : 1;
        R d_p = 0;
#pragma omp simd reduction(+ : d_p)
        for (long l = m * s.v; l < (m + 1) * s.v; l++) {
            d_p += d_u[l] * value[l];
            d_value[l] += p[m] * mask * d_u[l];
        }
        const R d_score = d_p * mask * p[m] * (1 - p[m]);
        for (long l = m * s.e; l < (m + 1) * s.e; l++) {
            d_key[l] += d_score * q[l];
            d_q[l] = d_score * key[l];
        }
    }
}

// From d_inputs to the input attention and to d_h, that of the h before.
template <class R, class W>
void Slice<R, W>::start_pairs_backward(long t, long k) {
    const long d = s.d, at = pairs(t)[k], n = pairs(t + 1)[k] - at;
    for (long i = 0; i < n; i++) read_input_backward(t, at + i, &d_inputs[i * X]);
    product<W>(n, d, Me, a.d_q() + at * Me, Me, false, a.query + k * d * Me, Me, true,
               d_inputs.data() + Mv, X, 1);
    for (long i = 0; i < n; i++)
        std::copy_n(&d_inputs[i * X + Mv], d, a.d_h + a.sentence[at + i] * D + k * d);
}

// Gradients of the weights of mechanism k, from the rows of all steps at once.
template <class R, class W>
void weight_gradients(const Sizes &s, const Arrays<R, W> &a, long k) {
    const long d = s.d;
    for (long number = 0; number < s.slices; number++) {
        const Slice<R, W> slice(s, a, number);
        const long X = slice.X, Mv = slice.Mv, Me = slice.Me;
        const long Cf = slice.Cf, KV = slice.KV, Cg = slice.Cg;
        const long at = slice.pairs(0)[k], n = slice.pairs(s.T)[k] - at;
        const long from = slice.reads(0)[k], count = slice.reads(s.T)[k] - from;

        std::vector<R> x(n * X);  // what went into the gates is not kept
        for (long t = 0, row = at; t < s.T; t++)
            for (; row < slice.pairs(t + 1)[k]; row++) {
                R *to = &x[(row - at) * X];
                slice.read_input(t, row, to);
                std::copy_n(slice.h_before(t, a.sentence[row]) + k * d, d, to + Mv);
            }
        const R *d_gate = a.d_gate() + at * 4 * d;
        product<W>(X, 4 * d, n, x.data(), X, true, d_gate, 4 * d, false, a.d_gates + k * X * 4 * d,
                   4 * d, 1);
        for (long i = 0; i < n * 4 * d; i += 4 * d)
            for (long l = 0; l < 4 * d; l++) a.d_bias[k * 4 * d + l] += d_gate[i + l];
        product<W>(d, Me, n, x.data() + Mv, X, true, a.d_q() + at * Me, Me, false,
                   a.d_query + k * d * Me, Me, 1);
        if (!s.C) continue;
        product<W>(d, Cf, n, a.h_mid + at * d, d, true, a.d_cq() + at * Cf, Cf, false,
                   a.d_comm_q + k * d * Cf, Cf, 1);
        const R *d_update = a.d_update() + at * s.u;
        product<W>(Cg, s.u, n, a.o + at * Cg, Cg, true, d_update, s.u, false,
                   a.d_project + k * Cg * s.u, s.u, 1);
        for (long i = 0; a.gated && i < n * s.u; i += s.u)
            for (long l = 0; l < s.u; l++) a.d_gated[k * s.u + l] += d_update[i + l];
        product<W>(d, KV, count, a.h_read + from * d, d, true, a.d_kv + from * KV, KV, false,
                   a.d_comm_kv + k * d * KV, KV, 1);
    }
}

template <class R, class W>
void run_forward(const Sizes &s, const Arrays<R, W> &a) {
#pragma omp parallel for num_threads(s.slices) if (s.slices > 1)
    for (long number = 0; number < s.slices; number++) Slice<R, W>(s, a, number).forward();
}

template <class R, class W>
void run_backward(const Sizes &s, const Arrays<R, W> &a) {
#pragma omp parallel for num_threads(s.slices) if (s.slices > 1)
    for (long number = 0; number < s.slices; number++) Slice<R, W>(s, a, number).backward();
#pragma omp parallel for num_threads(s.slices) schedule(dynamic) if (s.slices > 1)
    for (long k = 0; k < s.K; k++) weight_gradients(s, a, k);
}

}  // namespace

extern "C" {
#define NAME_OF(type, name) #name " "
#define NAME(name) #name " "
const char *rim_sizes() { return SIZES(NAME); }
const char *rim_arrays() { return ARRAYS(NAME_OF); }
#undef NAME_OF
#undef NAME

void rim_forward_float(const Sizes *s, const Arrays<float, float> *a) { run_forward(*s, *a); }
void rim_forward_double(const Sizes *s, const Arrays<double, double> *a) { run_forward(*s, *a); }
void rim_forward_bfloat16(const Sizes *s, const Arrays<float, bfloat16> *a) { run_forward(*s, *a); }
void rim_backward_float(const Sizes *s, const Arrays<float, float> *a) { run_backward(*s, *a); }
void rim_backward_double(const Sizes *s, const Arrays<double, double> *a) { run_backward(*s, *a); }
void rim_backward_bfloat16(const Sizes *s, const Arrays<float, bfloat16> *a) {
    run_backward(*s, *a);
}
}
