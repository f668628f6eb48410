# The Gaussian process with which Rasmussen & Williams describe the CO2 record of Mauna Loa:
# Gaussian Processes for Machine Learning (2006), sec. 5.4.3 (the covariance) and 2.2 (the evidence
# and the prediction). `use_gaussian_process.py` fits its eleven parameters and forecasts. Times are in
# years, sizes in ppm; d is the time between two measurements.

## A rising trend, smooth over decades (eq. 5.15).
fn trend(d in (-50, 50), size in (1, 100), length in (1, 100)) =
  size^2*exp(-d^2/(2*length^2))

test trend(0, 66, 67) == 4356

## A yearly season whose shape may drift (eq. 5.16).
fn season(d in (-50, 50), size in (1, 10), decay in (1, 100), smoothness in (0.5, 5)) =
  size^2*exp(-d^2/(2*decay^2) - 2*sin(pi*d)^2/smoothness^2)

test season(1, 2, 1, 1) ~= 2.4261226388505337    # 4 exp(-1/2)

## Irregularities of many lengths (eq. 5.17).
fn irregularity(d in (-50, 50), size in (0.1, 2), length in (0.1, 5), shape in (0.1, 5)) =
  size^2*(1 + d^2/(2*shape*length^2))^-shape

test irregularity(2, 1, 1, 1) ~= 1/3

## Weather, correlated over months (eq. 5.18; its white noise is in `covariance`).
fn weather(d in (-50, 50), size in (0.1, 1), length in (0.1, 1)) = size^2*exp(-d^2/(2*length^2))

test weather(1, 1, 1) ~= 0.60653065971263342    # exp(-1/2)

## Covariances of the concentrations at the times s and t (eq. 5.19). The parameters are in the order
## of the equations.
fn smooth(s: [M], t: [N], p: [11]) = [
  trend(s[i] - t[j], p[0], p[1]) +
  season(s[i] - t[j], p[2], p[3], p[4]) +
  irregularity(s[i] - t[j], p[5], p[6], p[7]) +
  weather(s[i] - t[j], p[8], p[9]) for i, j]

## Covariances of the measurements at the times t, white noise included.
fn covariance(t: [N], p: [11]) = smooth(t, t, p) + p[10]^2*eye(N)

## The logarithm of the probability of measurements y whose covariance is K (algorithm 2.1).
fn evidence(K: [N, N], y: [N]) {
  L = cholesky(K)
  return -sum(solve(L, y)^2)/2 - sum(log(diag(L))) - N*log(2*pi)/2
}

test evidence([[4]], [2]) ~= -2.1120857137646181    # -1/2 - log 2 - log(2 pi)/2

## Expected values whose covariances with the measurements y are C (eq. 2.23).
fn expected(C: [M, N], K: [N, N], y: [N]) -> [M] = C @ solve(K, y)

test sum(expected([[1, 0]], [[2, 0], [0, 4]], [3, 5])) ~= 1.5
