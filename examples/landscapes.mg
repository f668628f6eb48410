# Test functions of optimisation in any number of dimensions, each with its published minimum;
# `use_landscapes.py` minimises them with exact gradients and Hessian-vector products. Sources:
# MGH: Moré, Garbow & Hillstrom, Testing unconstrained optimization software, ACM TOMS 7 (1981) 17.
# SB: Surjanovic & Bingham, Virtual Library of Simulation Experiments, sfu.ca/~ssurjano: Test
# Functions for Optimization.

## Rosenbrock, chained as in SB. Minimum 0 at (1, …, 1).
fn rosenbrock(x: [n]) =
  sum(100*(x[i + 1] - x[i]^2)^2 + (1 - x[i])^2 for i in 0..n - 1)

test rosenbrock([1, 1, 1, 1]) == 0
test rosenbrock([-1.2, 1]) ~= 24.2        # the starting point of MGH 1

## Extended Powell singular function, MGH 22: groups of four. Minimum 0 at 0, where the Hessian is
## singular.
fn powell_singular(x: [m, 4]) = sum(
  (x[i, 0] + 10*x[i, 1])^2 + 5*(x[i, 2] - x[i, 3])^2 +
  (x[i, 1] - 2*x[i, 2])^4 + 10*(x[i, 0] - x[i, 3])^4 for i)

test powell_singular([[3, -1, 0, 1]]) == 215

## Penalty function I, MGH 23. Minimum 2.24997e-5 for n = 4 and 7.08765e-5 for n = 10.
fn penalty(x: [n]) = 1e-5*sum((x - 1)^2) + (sum(x^2) - 1/4)^2

test penalty([1, 2]) ~= 22.56251

## Variably dimensioned function, MGH 25. Minimum 0 at (1, …, 1).
fn variably_dimensioned(x: [n]) {
  s = sum((i + 1)*(x[i] - 1) for i)
  return sum((x - 1)^2) + s^2 + s^4
}

test variably_dimensioned([1, 1, 1]) == 0
test variably_dimensioned([2, 1]) == 3

## Trigonometric function, MGH 26. Minimum 0.
fn trigonometric(x: [n]) {
  s = sum(cos(x))
  return sum((n - s + (i + 1)*(1 - cos(x[i])) - sin(x[i]))^2 for i)
}

test trigonometric([0, 0, 0]) == 0

## Discrete boundary value problem, MGH 28: u'' = (u + t + 1)^3/2 with u(0) = u(1) = 0 on n inner
## points. Minimum 0.
fn boundary_value(x: [n]) {
  h = 1/(n + 1)
  u = pad(x, 1)
  return sum(
    (2*u[i] - u[i - 1] - u[i + 1] + h^2/2*(u[i] + i*h + 1)^3)^2 for i in 1..n + 1)
}

test boundary_value([0]) ~= 0.177978515625    # (27/64)^2

## Ackley (1987), SB. Minimum 0 at 0, the tip of a cone; `norm` has the gradient 0 there.
fn ackley(x: [n]) =
  20 - 20*exp(-norm(x)/(5*sqrt(n))) + exp(1) - exp(mean(cos(2*pi*x)))

test ackley([0, 0, 0]) ~= 0

## Griewank (1981), SB. Minimum 0 at 0, among many local ones.
fn griewank(x: [n]) = sum(x^2)/4000 - prod(cos(x[i]/sqrt(i + 1)) for i) + 1

test griewank([0, 0, 0]) == 0

## Rastrigin (1974), SB. Minimum 0 at 0, among 11^n local ones where all |x_i| <= 5.12.
fn rastrigin(x: [n]) = sum(10 + x^2 - 10*cos(2*pi*x))

test rastrigin([1, 1]) ~= 2

## Levy, SB. Minimum 0 at (1, …, 1).
fn levy(x: [n]) {
  w = 1 + (x - 1)/4
  valley = sum((w[i] - 1)^2*(1 + 10*sin(pi*w[i] + 1)^2) for i in 0..n - 1)
  return sin(pi*w[0])^2 + valley + (w[-1] - 1)^2*(1 + sin(2*pi*w[-1])^2)
}

test levy([1, 1, 1]) ~= 0

## Dixon & Price (1989), SB. Minimum 0 where x_i = 2^(2^-i - 1), i from 0.
fn dixon_price(x: [n]) =
  (x[0] - 1)^2 + sum((i + 1)*(2*x[i]^2 - x[i - 1])^2 for i in 1..n)

test dixon_price([1, 2^(-1/2), 2^(-3/4)]) ~= 0

## Michalewicz (1992) with steepness 10, SB. Minimum -9.6601517 for n = 10.
fn michalewicz(x: [n] in (0, 4)) = -sum(sin(x[i])*sin((i + 1)*x[i]^2/pi)^20 for i)

test michalewicz([2.2029055, 1.5707963]) ~= -1.8013034100985525    # the minimum for n = 2

## Styblinski & Tang (1990), SB. Minimum -39.16616570377142 n.
fn styblinski_tang(x: [n]) = sum(x^4 - 16*x^2 + 5*x)/2

test styblinski_tang([1, 1]) == -10

## Trid, SB. Minimum -n (n + 4) (n - 1)/6 at x_i = (i + 1) (n - i), i from 0.
fn trid(x: [n]) = sum((x - 1)^2) - sum(x[i]*x[i - 1] for i in 1..n)

test trid([2, 2]) == -2
test trid([3, 4, 3]) == -7

## Zakharov, SB. Minimum 0 at 0.
fn zakharov(x: [n]) {
  s = sum((i + 1)*x[i] for i)/2
  return sum(x^2) + s^2 + s^4
}

test zakharov([2, 0]) == 6

## Schwefel (1981), SB. Minimum -418.98288727243369 n where each x_i = 420.968746.
fn schwefel(x: [n] in (0, 500)) = -sum(x*sin(sqrt(abs(x))))

test schwefel([420.96874635998199]) ~= -418.98288727243369

# Products of the Hessian with a vector v: the derivative of the slope along v. They cost a small
# multiple of the gradient, and no Hessian is made.

fn rosenbrock_hessian_times(x: [n], v: [n]) = diff(sum(diff(rosenbrock(x), x)*v), x)
fn penalty_hessian_times(x: [n], v: [n]) = diff(sum(diff(penalty(x), x)*v), x)
fn variably_dimensioned_hessian_times(x: [n], v: [n]) =
  diff(sum(diff(variably_dimensioned(x), x)*v), x)
fn trigonometric_hessian_times(x: [n], v: [n]) = diff(sum(diff(trigonometric(x), x)*v), x)
fn boundary_value_hessian_times(x: [n], v: [n]) = diff(sum(diff(boundary_value(x), x)*v), x)
fn griewank_hessian_times(x: [n], v: [n]) = diff(sum(diff(griewank(x), x)*v), x)
fn levy_hessian_times(x: [n], v: [n]) = diff(sum(diff(levy(x), x)*v), x)
fn dixon_price_hessian_times(x: [n], v: [n]) = diff(sum(diff(dixon_price(x), x)*v), x)
fn trid_hessian_times(x: [n], v: [n]) = diff(sum(diff(trid(x), x)*v), x)
fn zakharov_hessian_times(x: [n], v: [n]) = diff(sum(diff(zakharov(x), x)*v), x)
