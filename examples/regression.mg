# Four regressions as log-likelihoods: `use_regression.py` maximises them on data that scikit-learn
# carries, and compares with its estimators and with closed forms. A row of X is one observation.
# Sources: McCullagh & Nelder, Generalized Linear Models (1989), ch. 2: the densities. Hastie,
# Tibshirani & Friedman, The Elements of Statistical Learning (2009), sec. 3.4 (ridge), 4.4
# (logistic regression).

## Y = X w + b with Gaussian errors of deviation exp(t).
fn gauss(X: [N, D], y: [N], w: [D], b, t) =
  -sum((y - X @ w - b)^2)/(2*exp(2*t)) - N*(t + log(2*pi)/2)

test gauss([[1]], [3], [2], 1, 0) ~= -0.91893853320467274    # no residual: -log(2 pi)/2

## The coefficients of ridge regression in closed form: least squares with the penalty c |w|^2.
fn ridge(X: [N, D], y: [N], c in (0.1, 10)) -> [D] =
  solve(transpose(X) @ X + c*eye(D), transpose(X) @ y)

## Labels y in {0, 1} whose log-odds are X w + b, less a penalty |w|^2/2.
fn logistic(X: [N, D], y: [N], w: [D], b) {
  z = X @ w + b
  return sum(y*z - softplus(z)) - sum(w^2)/2
}

test logistic([[1]], [1], [0], 0) ~= -0.69314718055994531    # -log 2

## Classes y whose probabilities are softmax(X W + b), less a penalty |W|^2/2.
fn multinomial(X: [N, D], y: int[N], W: [D, K], b: [K]) {
  z = X @ W + b
  return sum(z[i, y[i]] for i) - sum(logsumexp(z, axis=K)) - sum(W^2)/2
}

test multinomial([[1]], [2], [[0, 0, 0, 0]], [0, 0, 0, 0]) ~= -1.3862943611198906    # -log 4

## Counts y whose mean is exp(X w + b).
fn poisson(X: [N, D], y: [N], w: [D], b) {
  z = X @ w + b
  return sum(y*z - exp(z) - lgamma(y + 1))
}

test poisson([[1]], [2], [0], 0) ~= -1.6931471805599453    # log(exp(-1)/2!)

## Fisher's information on w, whose inverse is the covariance of the estimate.
fn poisson_information(X: [N, D], y: [N], w: [D], b) -> [D, D] = -hessian(poisson(X, y, w, b), w)
