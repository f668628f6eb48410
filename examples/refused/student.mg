# The wrong answer to an exercise of the lecture, kept to show how it is refused.
# The right one stands in ../calculus.mg.

## tanh as the lecture takes it apart.
fn tanh_by_exp(n in (-3, 3)) {
  e = exp(2*n)
  return (e - 1)/(e + 1)
}

# The student forgot the square.
derivative tanh_by_exp(n) = 1 - tanh_by_exp(n)
