# Special functions and the logarithms of probability densities, with their scores: the derivatives
# by the parameters, which statisticians write by hand. Sources: the Digital Library of Mathematical
# Functions (DLMF), and Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions ("JKB").
# Tests with free names are identities, proved by SymPy; numbers are from mpmath at 30 digits.

# Functions

## Distribution function of the standard normal (DLMF 7.2.1).
fn normal_cdf(x) = erfc(-x/sqrt(2))/2

test normal_cdf(0) == 0.5
test normal_cdf(1.959963984540054) ~= 0.975
test normal_cdf(-10)*1e23 ~= 0.76198530241605261
test normal_cdf'(x) == exp(-x^2/2)/sqrt(2*pi)

## The error function as it is, and its first three derivatives.
fn error_function(x) = erf(x)

test error_function(1) ~= 0.84270079294971487
test error_function'(0) ~= 1.1283791670955126  # 2/sqrt(pi)
test error_function''(x) == -2*x*error_function'(x)
test error_function'''(x) == (4*x^2 - 2)*error_function'(x)

## Stirling's series compared with the logarithm of the gamma function (DLMF 5.11.1).
fn stirling_error(x in (1, 100)) =
  lgamma(x) - ((x - 1/2)*log(x) - x + log(2*pi)/2 + 1/(12*x))

test stirling_error(5) ~= -2.1975476845474503e-5

## Logarithm of a factorial; its derivative is digamma(n + 1).
fn log_factorial(n in (0, 100)) = lgamma(n + 1)

test log_factorial(10) ~= 15.104412573075516  # log 3628800
test log_factorial'(n) == digamma(n + 1)
test log_factorial'(0) ~= -0.57721566490153286  # minus Euler's constant
test log_factorial''(0) ~= 1.6449340668482264  # pi^2/6

## The harmonic numbers, for real n as well (DLMF 5.4.14).
fn harmonic_number(n in (0, 100)) = digamma(n + 1) + 0.57721566490153286

test harmonic_number(4) ~= 2.0833333333333333  # 1 + 1/2 + 1/3 + 1/4

## Logarithm of the beta function (DLMF 5.12.1).
fn log_beta(a in (0.1, 50), b in (0.1, 50)) = lgamma(a) + lgamma(b) - lgamma(a + b)

test log_beta(2, 3) ~= -2.4849066497880004  # log(1/12)
test log_beta(0.5, 0.5) ~= 1.1447298858494002  # log(pi)

# Log-densities

## Normal, of mean mu and deviation sigma (JKB, ch. 13).
fn normal_log(x, mu, sigma in (0.1, 10)) {
  z = (x - mu)/sigma
  return -z^2/2 - log(sigma) - log(2*pi)/2
}

fn normal_score_mu(x, mu, sigma in (0.1, 10)) = diff(normal_log(x, mu, sigma), mu)
fn normal_score_sigma(x, mu, sigma in (0.1, 10)) = diff(normal_log(x, mu, sigma), sigma)

test normal_log(0, 0, 1) ~= -0.91893853320467274  # -log(2 pi)/2
test normal_score_mu(x, mu, sigma) == (x - mu)/sigma^2
test normal_score_sigma(x, mu, sigma) == ((x - mu)^2 - sigma^2)/sigma^3

## Gamma, of shape k and rate r (JKB, ch. 17).
fn gamma_log(x in (0.01, 50), k in (0.1, 50), r in (0.01, 10)) =
  k*log(r) + (k - 1)*log(x) - r*x - lgamma(k)

fn gamma_score_k(x in (0.01, 50), k in (0.1, 50), r in (0.01, 10)) = diff(gamma_log(x, k, r), k)
fn gamma_score_r(x in (0.01, 50), k in (0.1, 50), r in (0.01, 10)) = diff(gamma_log(x, k, r), r)

test gamma_log(2, 1, 3) ~= -4.9013877113318902  # log 3 - 6
test gamma_log(2, 2.5, 1.5) ~= -1.2312993293625902
test gamma_score_k(x, k, r) == log(r) + log(x) - digamma(k)
test gamma_score_r(x, k, r) == k/r - x

## Beta, of shapes a and b (JKB, ch. 25).
fn beta_log(x in (0, 1), a in (0.1, 50), b in (0.1, 50)) =
  (a - 1)*log(x) + (b - 1)*log1p(-x) - log_beta(a, b)

fn beta_score_a(x in (0, 1), a in (0.1, 50), b in (0.1, 50)) = diff(beta_log(x, a, b), a)
fn beta_score_b(x in (0, 1), a in (0.1, 50), b in (0.1, 50)) = diff(beta_log(x, a, b), b)

test beta_log(0.3, 1, 1) ~= 0  # the uniform density
test beta_log(0.5, 2, 2) ~= 0.40546510810816438  # log(3/2)
test beta_score_a(x, a, b) == log(x) - digamma(a) + digamma(a + b)
test beta_score_b(x, a, b) == log(1 - x) - digamma(b) + digamma(a + b)

## Student's t with nu degrees of freedom, located at mu and scaled by sigma (JKB, ch. 28).
fn student_log(x, mu, sigma in (0.1, 10), nu in (0.5, 100)) {
  z = (x - mu)/sigma
  scale = lgamma((nu + 1)/2) - lgamma(nu/2) - log(nu*pi)/2 - log(sigma)
  return scale - (nu + 1)/2*log1p(z^2/nu)
}

fn student_score_mu(x, mu, sigma in (0.1, 10), nu in (0.5, 100)) =
  diff(student_log(x, mu, sigma, nu), mu)
fn student_score_sigma(x, mu, sigma in (0.1, 10), nu in (0.5, 100)) =
  diff(student_log(x, mu, sigma, nu), sigma)
fn student_score_nu(x, mu, sigma in (0.1, 10), nu in (0.5, 100)) =
  diff(student_log(x, mu, sigma, nu), nu)

test student_log(0, 0, 1, 1) ~= -1.1447298858494002  # Cauchy: log(1/pi)
test student_score_mu(x, mu, sigma, nu) == (nu + 1)*(x - mu)/(nu*sigma^2 + (x - mu)^2)
test student_score_sigma(x, 0, 1, nu) == ((nu + 1)*x^2/(nu + x^2) - 1)
# mpmath.diff of the log-density
test student_score_nu(2, 0, 1, 3) ~= -0.016216035347942212

## Observed information of the normal on sigma, minus the second derivative of the log-density.
fn normal_information(x, mu, sigma in (0.1, 10)) =
  -diff(diff(normal_log(x, mu, sigma), sigma), sigma)

test normal_information(x, mu, sigma) == 3*(x - mu)^2/sigma^4 - 1/sigma^2

# Stable forms

## Log-likelihood of a coin with log-odds z that showed heads (y = 1) or tails (y = 0).
fn bernoulli_log(y in [0, 1], z) = y*z - softplus(z)

test bernoulli_log(1, -1000) == -1000
test bernoulli_log(0, 1000) == -1000
test diff(bernoulli_log(y, z), z) == y - sigmoid(z)
