# Test functions of optimisation, each with its published minimum as a test. `optimise.py` minimises
# them with the gradients and Hessians that mgrad writes. Sources:
# MGH: Moré, Garbow & Hillstrom, Testing unconstrained optimization software, ACM TOMS 7 (1981) 17.
# JY: Jamil & Yang, A literature survey of benchmark functions, Int. J. Math. Model. Numer. Optim.
# 4 (2013) 150. Coordinates of minima without a closed form were polished by mpmath at 30 digits.

## Rosenbrock (1960); MGH 1. A curved valley.
fn rosenbrock(x, y) = 100*(y - x^2)^2 + (1 - x)^2

test rosenbrock(1, 1) == 0

## Freudenstein & Roth (1963); MGH 2. A second, local minimum of 48.98425.
fn freudenstein_roth(x, y) {
  f1 = -13 + x + ((5 - y)*y - 2)*y
  f2 = -29 + x + ((y + 1)*y - 14)*y
  return f1^2 + f2^2
}

test freudenstein_roth(5, 4) == 0
test freudenstein_roth(11.412778986902094, -0.89680525327447652) ~= 48.984253679240021

## Powell (1970); MGH 3. Badly scaled.
fn powell_badly_scaled(x, y) {
  f1 = 1e4*x*y - 1
  f2 = exp(-x) + exp(-y) - 1.0001
  return f1^2 + f2^2
}

test powell_badly_scaled(1.0981593296998175e-5, 9.106146739866524) ~= 0

## Brown (unpublished); MGH 4. Badly scaled.
fn brown_badly_scaled(x, y) = (x - 1e6)^2 + (y - 2e-6)^2 + (x*y - 2)^2

test brown_badly_scaled(1e6, 2e-6) == 0

## Beale (1958); MGH 5.
fn beale(x, y) {
  f1 = 1.5 - x*(1 - y)
  f2 = 2.25 - x*(1 - y^2)
  f3 = 2.625 - x*(1 - y^3)
  return f1^2 + f2^2 + f3^2
}

test beale(3, 0.5) == 0

## Helical valley, Fletcher & Powell (1963); MGH 7. The angle in turns is cut along x = 0, y < 0.
fn helical_valley(x, y, z) {
  turns = atan2(-x, y)/(2*pi) + 1/4
  return 100*(z - 10*turns)^2 + 100*(sqrt(x^2 + y^2) - 1)^2 + z^2
}

test helical_valley(1, 0, 0) ~= 0
test helical_valley(-1, 0, 0) ~= 2500   # the starting point of MGH

fn box_term(t in (0, 1], x in (-1, 20), y in (-1, 20), z in (-1, 25)) =
  (exp(-t*x) - exp(-t*y) - z*(exp(-t) - exp(-10*t)))^2

## Box (1966) in three dimensions; MGH 12.
fn box(x in (-1, 20), y in (-1, 20), z in (-1, 25)) =
  box_term(0.1, x, y, z) + box_term(0.2, x, y, z) + box_term(0.3, x, y, z) +
  box_term(0.4, x, y, z) + box_term(0.5, x, y, z) + box_term(0.6, x, y, z) +
  box_term(0.7, x, y, z) + box_term(0.8, x, y, z) + box_term(0.9, x, y, z) +
  box_term(1, x, y, z)

test box(1, 10, 1) ~= 0
test box(10, 1, -1) ~= 0

## Powell (1962); MGH 13. The Hessian is singular at the minimum.
fn powell_singular(a, b, c, d) = (a + 10*b)^2 + 5*(c - d)^2 + (b - 2*c)^4 + 10*(a - d)^4

test powell_singular(0, 0, 0, 0) == 0
test powell_singular(3, -1, 0, 1) == 215    # the starting point of MGH

## Wood, after Colville (1968); MGH 14.
fn wood(a, b, c, d) =
  100*(b - a^2)^2 + (1 - a)^2 + 90*(d - c^2)^2 + (1 - c)^2 +
  10*(b + d - 2)^2 + (b - d)^2/10

test wood(1, 1, 1, 1) == 0
test wood(-3, -1, -3, -1) ~= 19192      # the starting point of MGH

fn brown_dennis_term(
  t in (0, 4], a in (-100, 100), b in (-100, 100), c in (-100, 100), d in (-100, 100)
) =
  ((a + b*t - exp(t))^2 + (c + d*sin(t) - cos(t))^2)^2

## Brown & Dennis (1971); MGH 16. The minimum is 85822.2.
fn brown_dennis(a in (-100, 100), b in (-100, 100), c in (-100, 100), d in (-100, 100)) =
  brown_dennis_term(0.2, a, b, c, d) + brown_dennis_term(0.4, a, b, c, d) +
  brown_dennis_term(0.6, a, b, c, d) + brown_dennis_term(0.8, a, b, c, d) +
  brown_dennis_term(1, a, b, c, d) + brown_dennis_term(1.2, a, b, c, d) +
  brown_dennis_term(1.4, a, b, c, d) + brown_dennis_term(1.6, a, b, c, d) +
  brown_dennis_term(1.8, a, b, c, d) + brown_dennis_term(2, a, b, c, d) +
  brown_dennis_term(2.2, a, b, c, d) + brown_dennis_term(2.4, a, b, c, d) +
  brown_dennis_term(2.6, a, b, c, d) + brown_dennis_term(2.8, a, b, c, d) +
  brown_dennis_term(3, a, b, c, d) + brown_dennis_term(3.2, a, b, c, d) +
  brown_dennis_term(3.4, a, b, c, d) + brown_dennis_term(3.6, a, b, c, d) +
  brown_dennis_term(3.8, a, b, c, d) + brown_dennis_term(4, a, b, c, d)

test brown_dennis(
  -11.594439904762165, 13.203630051207204, -0.40343948817685952, 0.2367787744557363
) ~= 85822.201626356345

## Himmelblau (1972); in JY. Four minima of 0.
fn himmelblau(x, y) = (x^2 + y - 11)^2 + (x + y^2 - 7)^2

test himmelblau(3, 2) == 0

## Booth; in JY.
fn booth(x, y) = (x + 2*y - 7)^2 + (2*x + y - 5)^2

test booth(1, 3) == 0

## Matyas; in JY.
fn matyas(x, y) = 0.26*(x^2 + y^2) - 0.48*x*y

test matyas(0, 0) == 0

## Goldstein & Price (1971); in JY.
fn goldstein_price(x, y) {
  a = 1 + (x + y + 1)^2*(19 - 14*x + 3*x^2 - 14*y + 6*x*y + 3*y^2)
  b = 30 + (2*x - 3*y)^2*(18 - 32*x + 12*x^2 + 48*y - 36*x*y + 27*y^2)
  return a*b
}

test goldstein_price(0, -1) == 3

## Branin (1972); in JY. Three minima of 5/(4 pi).
fn branin(x, y) {
  curve = y - 5.1/(4*pi^2)*x^2 + 5/pi*x - 6
  return curve^2 + 10*(1 - 1/(8*pi))*cos(x) + 10
}

test branin(pi, 2.275) ~= 0.39788735772973816   # 5/(4 pi)
test branin(-pi, 12.275) ~= 0.39788735772973816

## Six-hump camel, Branin (1972); in JY.
fn six_hump_camel(x, y) = (4 - 2.1*x^2 + x^4/3)*x^2 + x*y + (4*y^2 - 4)*y^2

test six_hump_camel(0.089842013100318062, -0.71265640302073963) ~= -1.0316284534898774

## Three-hump camel; in JY.
fn three_hump_camel(x, y) = 2*x^2 - 1.05*x^4 + x^6/6 + x*y + y^2

test three_hump_camel(0, 0) == 0

## McCormick (1976); in JY.
fn mccormick(x, y) = sin(x + y) + (x - y)^2 - 3/2*x + 5/2*y + 1

# at x = 1/2 - pi/3, y = x - 1; by hand, -sqrt(3)/2 - pi/3
test mccormick(1/2 - pi/3, -1/2 - pi/3) ~= -1.9132229549810364

## Easom (1990); in JY. A hole in a plane.
fn easom(x, y) = -cos(x)*cos(y)*exp(-(x - pi)^2 - (y - pi)^2)

test easom(pi, pi) ~= -1

## Levy and Montalvo (1985), as number 13 of Surjanovic & Bingham, Virtual Library of Simulation
## Experiments (2013).
fn levy_13(x, y) =
  sin(3*pi*x)^2 + (x - 1)^2*(1 + sin(3*pi*y)^2) + (y - 1)^2*(1 + sin(2*pi*y)^2)

test levy_13(1, 1) ~= 0

## Styblinski & Tang (1990); in JY.
fn styblinski_tang(x, y) = (x^4 - 16*x^2 + 5*x + y^4 - 16*y^2 + 5*y)/2

test styblinski_tang(-2.9035340277711771, -2.9035340277711771) ~= -78.332331407542831
