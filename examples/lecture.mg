# The programs of the lecture "The spelled-out intro to neural networks and backpropagation:
# building micrograd" (A. Karpathy, 2022), and the expression of micrograd's README.
# Every number in a `test` line follows from the mathematics: by hand where a comment shows how,
# otherwise computed with mpmath at 30 digits.

## The first curve.
fn f(x) = 3*x^2 - 4*x + 5

test f(3) == 20
test f'(3) == 14
test f'(x) == 6*x - 4
test f''(x) == 6
test f'(2/3) == 0                       # the bottom of the parabola

## One product and one sum.
fn d(a, b, c) = a*b + c

test d(2, -3, 10) == 4
test diff(d(a, b, c), a) == b
test diff(d(a, b, c), b) == a
test diff(d(a, b, c), c) == 1

## The chain: L depends on a and b through e and d.
fn L(a, b, c, f) {
  e = a*b
  d = e + c
  return d*f
}

test L(2, -3, 10, -2) == -8
test diff(L(a, b, c, x), a) == b*x      # at (2, -3, 10, -2): 6
test diff(L(a, b, c, x), b) == a*x      # -4
test diff(L(a, b, c, x), c) == x        # -2
test diff(L(a, b, c, x), x) == a*b + c  # 4

## A neuron of two inputs, squashed by tanh.
fn neuron(x1, x2, w1, w2, b) {
  n = x1*w1 + x2*w2 + b                 # the weighted sum
  o = tanh(n)                           # the activation
  return o
}

fn neuron_x1(x1, x2, w1, w2, b) = diff(neuron(x1, x2, w1, w2, b), x1)

# The lecture's b makes n = asinh(1) at x = (2, 0), w = (-3, 1): then o = 1/sqrt(2) and
# 1 - o^2 = 1/2, so the gradients are -3/2, 1/2, 1, 0 and 1/2.
test neuron(2, 0, -3, 1, 6.8813735870195432) ~= 0.70710678118654752
test neuron_x1(2, 0, -3, 1, 6.8813735870195432) ~= -1.5
test diff(neuron(x1, x2, w1, w2, b), x1) == w1*(1 - neuron(x1, x2, w1, w2, b)^2)
test diff(neuron(x1, x2, w1, w2, b), x2) == w2*(1 - neuron(x1, x2, w1, w2, b)^2)
test diff(neuron(x1, x2, w1, w2, b), w1) == x1*(1 - neuron(x1, x2, w1, w2, b)^2)
test diff(neuron(x1, x2, w1, w2, b), w2) == x2*(1 - neuron(x1, x2, w1, w2, b)^2)
test diff(neuron(x1, x2, w1, w2, b), b) == 1 - neuron(x1, x2, w1, w2, b)^2

## The same neuron with tanh taken apart: tanh(n) = (exp(2n) - 1)/(exp(2n) + 1).
fn neuron_by_exp(x1, x2, w1, w2, b) {
  n = x1*w1 + x2*w2 + b
  e = exp(2*n)
  o = (e - 1)/(e + 1)
  return o
}

fn neuron_by_exp_x1(x1, x2, w1, w2, b) = diff(neuron_by_exp(x1, x2, w1, w2, b), x1)

test neuron_by_exp(2, 0, -3, 1, 6.8813735870195432) ~= 0.70710678118654752
test neuron_by_exp_x1(2, 0, -3, 1, 6.8813735870195432) ~= -1.5
test neuron_by_exp(x1, x2, w1, w2, b) == neuron(x1, x2, w1, w2, b)
test neuron_by_exp_x1(x1, x2, w1, w2, b) == neuron_x1(x1, x2, w1, w2, b)

## A value used twice: its gradient is the sum over both uses.
fn twice(a) {
  b = a + a
  return b
}

test twice(3) == 6
test twice'(a) == 2

## The diamond: a and b reach f through d and through e, and the gradients of both ways add up.
fn diamond(a, b) {
  d = a*b
  e = a + b
  f = d*e
  return f
}

# f = a^2*b + a*b^2
test diamond(-2, 3) == -6
test diff(diamond(a, b), a) == 2*a*b + b^2    # at (-2, 3): -3
test diff(diamond(a, b), b) == a^2 + 2*a*b    # -8

## The expression of micrograd's README.
fn g(a, b) {
  c = a + b
  d = a*b + b^3
  c += c + 1
  c += 1 + c + (-a)
  d += d*2 + relu(b + a)
  d += 3*d + relu(b - a)
  e = c - d
  f = e^2
  return f/2.0 + 10.0/f
}

fn g_a(a, b) = diff(g(a, b), a)
fn g_b(a, b) = diff(g(a, b), b)

# By hand, at (-4, 2), where relu(b + a) = 0 and relu(b - a) = b - a: c = 3a + 4b + 3 = -1,
# d = 12(ab + b^3) + b - a = 6, e = -7, f = 49, g = 49/2 + 10/49 = 2421/98.
# dg/de = e - 20/e^3 = -2381/343; de/da = 4 - 12b = -20 and de/db = 3 - 12a - 36b^2 = -93.
test g(-4, 2) ~= 24.70408163265306      # 2421/98
test g_a(-4, 2) ~= 138.83381924198252   # 47620/343
test g_b(-4, 2) ~= 645.5772594752186    # 221433/343

## One neuron of one input.
fn unit(x, w, b) = tanh(w*x + b)

## Two neurons, one after the other.
fn network(x, w1, b1, w2, b2) {
  h = unit(x, w1, b1)                   # the hidden neuron
  y = unit(h, w2, b2)                   # the output neuron
  return y
}

## The squared error of the network for one example, x with target t.
fn squared_error(x, t, w1, b1, w2, b2) {
  y = network(x, w1, b1, w2, b2)
  return (y - t)^2
}

fn squared_error_w1(x, t, w1, b1, w2, b2) = diff(squared_error(x, t, w1, b1, w2, b2), w1)
fn squared_error_b2(x, t, w1, b1, w2, b2) = diff(squared_error(x, t, w1, b1, w2, b2), b2)

# mpmath, 30 digits; with h = tanh(0.6), y = tanh(1.5h - 0.2):
# dE/dw1 = 2(y - 1)(1 - y^2)*1.5*(1 - h^2)*0.5 and dE/db2 = 2(y - 1)(1 - y^2)
test network(0.5, 0.8, 0.2, 1.5, -0.2) ~= 0.54100427068428769
test squared_error(0.5, 1, 0.8, 0.2, 1.5, -0.2) ~= 0.21067707953006264
test squared_error_w1(0.5, 1, 0.8, 0.2, 1.5, -0.2) ~= -0.34652514850851362
test squared_error_b2(0.5, 1, 0.8, 0.2, 1.5, -0.2) ~= -0.64930855858223972
test squared_error(x, network(x, w1, b1, w2, b2), w1, b1, w2, b2) == 0
