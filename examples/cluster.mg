# Clusters of atoms that attract and repel as Lennard-Jones says, in reduced units (ε = σ = 1).
# Sources: Lennard-Jones, Proc. R. Soc. A 106 (1924) 463. Wales & Doye, J. Phys. Chem. A 101 (1997)
# 5111, and the Cambridge Cluster Database: the lowest energies that are known.

## Energy of two atoms, from their squared distance.
fn pair_energy(s in (0.5, 9)) = 4*(s^-6 - s^-3)

test pair_energy(1) == 0
test pair_energy(2^(1/3)) ~= -1           # the bottom of the well

## Energy of a cluster: each pair counts once.
fn energy(x: [N, 3]) = sum(pair_energy(sum((x[i, k] - x[j, k])^2 for k)) for i in 0..N, j in 0..i)

test energy([[0, 0, 0], [1, 0, 0]]) ~= 0

## Force on each atom.
fn forces(x: [N, 3]) = -diff(energy(x), x)

## How the gradient changes when the atoms move along v: the Hessian times v.
fn hessian_times(x: [N, 3], v: [N, 3]) = diff(sum(diff(energy(x), x)*v), x)
