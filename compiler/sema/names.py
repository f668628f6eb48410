"""Names that the language and Python bring along."""

from keyword import kwlist

# built-in functions of arrays
ARRAY_FUNCTIONS = frozenset(
    name
    for line in (
        "sum mean prod var std norm logsumexp softmax log_softmax argmin argmax any all cumsum",
        "reshape transpose squeeze expand stack concat split pad flip tile zeros ones eye arange",
        "dot outer trace diag det inv solve cholesky einsum windows jacobian hessian l1 l2",
    )
    for name in line.split()
)

NUMBERS = ("pi", "inf")

# such a name gets an underscore in the generated module
PYTHON_KEYWORDS = frozenset(kwlist)

# what a function's name gets in the generated module, beside the name itself
SUFFIXES = ("forward", "backward", "value_and_grad", "jvp", "jacobian", "hessian")
