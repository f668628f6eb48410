# Derivatives inside the language, to the third order; derivatives stated by hand; functions of
# SciPy. Sources stand at the definitions. Tests with free names are identities, proved by SymPy;
# numbers follow by hand or from mpmath at 30 digits, as a comment says.

# Primes

## The cubic of Wallis, on which Newton showed his method (De analysi, 1669).
fn wallis(x) = x^3 - 2*x - 5

test wallis'(x) == 3*x^2 - 2
test wallis''(x) == 6*x
test wallis'''(x) == 6

## One step of Newton's method towards the root of Wallis's cubic.
fn newton_step(x) = x - wallis(x)/wallis'(x)

## One step of Halley's method (Phil. Trans. 18, 1694), which uses the second derivative.
fn halley_step(x) {
  f, f1, f2 = wallis(x), wallis'(x), wallis''(x)
  return x - 2*f*f1/(2*f1^2 - f*f2)
}

test newton_step(2) ~= 2.1
# the root is 2.0945514815423265915 (mpmath); Newton's map is flat there
test newton_step(newton_step(newton_step(newton_step(2)))) ~= 2.0945514815423266
test newton_step'(2.0945514815423266) ~= 0
test halley_step(halley_step(halley_step(2))) ~= 2.0945514815423266

## A damped wave, the curve of the examples below.
fn wave(x in (-10, 10)) = exp(-x/4)*sin(x)

## Curvature of the graph of `wave` (do Carmo, Differential Geometry, sec. 1-5).
fn curvature(x in (-10, 10)) = wave''(x)/(1 + wave'(x)^2)^(3/2)

test curvature(0) ~= -0.17677669529663688    # wave'(0) = 1, wave''(0) = -1/2

## How fast the curvature changes along x: a third derivative.
fn curvature_change(x in (-10, 10)) = curvature'(x)

test curvature_change(x) == diff(curvature(x), x)

## Taylor's polynomial of the third degree of `wave` around a.
fn taylor(x in (-3, 3), a in (-3, 3)) {
  t = x - a
  return wave(a) + wave'(a)*t + wave''(a)*t^2/2 + wave'''(a)*t^3/6
}

test taylor(a, a) == wave(a)
# at 0: x - x^2/4 - 13 x^3/96
test taylor(x, 0) == x - x^2/4 - 13*x^3/96

## A Möbius map with its pole at x = -2.
fn moebius(x in (-1, 10)) = (3*x + 1)/(x + 2)

## The Schwarzian derivative of a Möbius map, which is 0 (Ahlfors, Conformal Invariants, sec. 1).
fn schwarzian_moebius(x in (-1, 10)) {
  f1, f2, f3 = moebius'(x), moebius''(x), moebius'''(x)
  return f3/f1 - 3/2*(f2/f1)^2
}

test schwarzian_moebius(x) == 0

## The Schwarzian derivative of tanh: -2 everywhere.
fn schwarzian_tanh(x in (-2, 2)) {
  f1 = squash'(x)
  return squash'''(x)/f1 - 3/2*(squash''(x)/f1)^2
}

fn squash(x in (-2, 2)) = tanh(x)

test schwarzian_tanh(x) == -2

# Derivatives with respect to a name

## Radius and angle of a point.
fn polar(x, y) = sqrt(x^2 + y^2), atan2(y, x)

## Jacobian determinant of the polar coordinates: 1/r.
fn polar_determinant(x in (0.1, 10), y in (0.1, 10)) {
  r, t = polar(x, y)
  return diff(r, x)*diff(t, y) - diff(r, y)*diff(t, x)
}

test polar_determinant(3, 4) ~= 0.2

## A harmonic function: the real part of (x + iy)^3.
fn harmonic(x, y) = x^3 - 3*x*y^2

## Its Laplacian.
fn laplacian(x, y) {
  u = harmonic(x, y)
  return diff(diff(u, x), x) + diff(diff(u, y), y)
}

test laplacian(x, y) == 0

## The heat kernel on the line (Evans, Partial Differential Equations, sec. 2.3.1).
fn heat_kernel(x in (-5, 5), t in (0.1, 10)) = exp(-x^2/(4*t))/sqrt(4*pi*t)

## What is left of the heat equation u_t - u_xx for the kernel.
fn heat_residual(x in (-5, 5), t in (0.1, 10)) {
  u = heat_kernel(x, t)
  return diff(u, t) - diff(diff(u, x), x)
}

test heat_residual(x, t) == 0

## A soliton of speed c (Korteweg & de Vries, 1895), for u_t + 6 u u_x + u_xxx = 0.
fn soliton(x in (-5, 5), t in (-1, 1), c in (0.1, 4)) = c/2/cosh(sqrt(c)/2*(x - c*t))^2

## What is left of the Korteweg–de Vries equation: a third derivative in x.
fn soliton_residual(x in (-5, 5), t in (-1, 1), c in (0.1, 4)) {
  u = soliton(x, t, c)
  u_x = diff(u, x)
  u_xxx = diff(diff(u_x, x), x)
  return diff(u, t) + 6*u*u_x + u_xxx
}

# The terms are of size 1 and cancel.
test soliton_residual(0.3, 0.1, 2) ~= 0

## Lagrangian of a pendulum of unit mass, length and gravity: angle q, its rate v.
fn lagrangian(q, v) = v^2/2 + cos(q)

## Acceleration from the Euler–Lagrange equation: (L_q - L_qv v)/L_vv (Goldstein, sec. 2.3).
fn acceleration(q, v) {
  l = lagrangian(q, v)
  l_v = diff(l, v)
  return (diff(l, q) - diff(l_v, q)*v)/diff(l_v, v)
}

test acceleration(q, v) == -sin(q)

## Energy of the same pendulum, v L_v - L.
fn energy(q, v) {
  l = lagrangian(q, v)
  return v*diff(l, v) - l
}

test energy(q, v) == v^2/2 - cos(q)

## Free energy of a two-level system with gap e at temperature T, in units with k = 1.
fn free_energy(e in (0, 10), T in (0.1, 10)) = -T*log(1 + exp(-e/T))

## Its heat capacity -T F_TT, the Schottky anomaly (Kittel & Kroemer, ch. 3).
fn heat_capacity(e in (0, 10), T in (0.1, 10)) = -T*diff(diff(free_energy(e, T), T), T)

test heat_capacity(e, T) == (e/T)^2*exp(e/T)/(1 + exp(e/T))^2

## A value in the middle: only what lies between u and the result counts.
fn by_a_part(x) {
  u = x^2
  y = u^3 + x*u
  return diff(y, u)
}

test by_a_part(x) == 3*x^4 + x

# Derivatives stated by hand

## tanh as the lecture takes it apart.
fn tanh_by_exp(n in (-3, 3)) {
  e = exp(2*n)
  return (e - 1)/(e + 1)
}

# A student's answer, right. The wrong one, 1 - tanh, is refused: see refused/student.mg.
derivative tanh_by_exp(n) = 1 - tanh_by_exp(n)^2

test tanh_by_exp'(0) == 1

## A smooth absolute value.
fn soft_abs(x) = sqrt(x^2 + 1e-6)

derivative soft_abs(x) = x/soft_abs(x)

test soft_abs'(0) == 0

## A hypotenuse, with both partial derivatives.
fn hypotenuse(x in (0.1, 10), y in (0.1, 10)) = sqrt(x^2 + y^2)

derivative hypotenuse(x, y) {
  r = hypotenuse(x, y)
  return x/r, y/r
}

fn hypotenuse_y(x in (0.1, 10), y in (0.1, 10)) = diff(hypotenuse(x, y), y)

test hypotenuse_y(3, 4) == 0.8

# Functions of SciPy, with derivatives from the Digital Library of Mathematical Functions (DLMF)

extern fn j0(x) = "scipy.special.j0"
extern fn j1(x) = "scipy.special.j1"
derivative j0(x) = -j1(x)               # DLMF 10.6.3
derivative j1(x) = j0(x) - j1(x)/x      # DLMF 10.6.2

## What is left of Bessel's equation x^2 y'' + x y' + x^2 y for J0 (DLMF 10.2.1).
fn bessel_residual(x in (0.1, 20)) = x^2*j0''(x) + x*j0'(x) + x^2*j0(x)

# mpmath: besselj(0, 1), -besselj(1, 1)
test j0(1) ~= 0.76519768655796655
test j0'(1) ~= -0.44005058574493352
test bessel_residual(3) ~= 0

extern fn ellipk(m in (0, 1)) = "scipy.special.ellipk"
extern fn ellipe(m in (0, 1)) = "scipy.special.ellipe"
derivative ellipk(m) = (ellipe(m)/(1 - m) - ellipk(m))/(2*m)      # DLMF 19.4.1, m = k^2
derivative ellipe(m) = (ellipe(m) - ellipk(m))/(2*m)              # DLMF 19.4.2

## Period of a pendulum of any amplitude over that of a small one (Landau & Lifshitz, sec. 11).
fn pendulum(amplitude in (0.1, 3)) = 2/pi*ellipk(sin(amplitude/2)^2)

# mpmath: 2/pi ellipk(sin(1/2)^2), and its derivative by mpmath.diff
test pendulum(1) ~= 1.066334245579963
test pendulum'(1) ~= 0.14088506224701464

## Legendre's relation (DLMF 19.7.1): pi/2 for every m, so its derivative is 0.
fn legendre(m in (0.05, 0.95)) {
  n = 1 - m
  return ellipe(m)*ellipk(n) + ellipe(n)*ellipk(m) - ellipk(m)*ellipk(n)
}

test legendre(0.3) ~= 1.5707963267948966
test legendre'(0.3) ~= 0

extern fn expi(x in (0.1, 10)) = "scipy.special.expi"
derivative expi(x) = exp(x)/x           # DLMF 6.2.5

## The logarithmic integral, Gauss's estimate of the number of primes up to x.
fn li(x in (2, 1000)) = expi(log(x))

test li(1000) ~= 177.60965799015223  # mpmath; there are 168 primes
test li'(x) == 1/log(x)
