# Networks of springs: their energy, their forces and their stiffness. `use_springs.py` lets a chain hang
# and pushes a shallow dome through its flat state, the ridge between its two states of rest.
# Spring s joins the nodes ends[s]. Sources: Hooke, De potentia restitutiva (1678).
# von Mises, Z. angew. Math. Mech. 3 (1923) 406: the truss that snaps through.

## Energy of one spring with the ends p and q.
fn spring(p: [D], q: [D], length, stiffness) = stiffness/2*(norm(p - q) - length)^2

test spring([0, 0], [3, 4], 3, 2) == 4

## Energy of the springs of a network whose nodes are the rows of x.
fn elastic(x: [N, D], ends: int[S, 2], length: [S], stiffness) =
  sum(spring(x[ends[s, 0]], x[ends[s, 1]], length[s], stiffness) for s)

## Elastic energy less the work of the loads. The first F nodes are held, the others are free, at x.
fn energy(x: [M, D], held: [F, D], loads: [M, D], ends: int[S, 2], length: [S], stiffness) =
  elastic(concat(held, x), ends, length, stiffness) - sum(loads*x)

## Stiffness of the free nodes: the second derivatives of the energy.
fn tangent(x: [M, D], held: [F, D], loads: [M, D], ends: int[S, 2], length: [S], stiffness) =
  hessian(energy(x, held, loads, ends, length, stiffness), x)
