# The Puma 560, a robot arm of six revolute joints: where the hand is, how it moves with each
# joint, and the equations of inverse kinematics. Lengths in metres, angles in radians. Sources:
# Denavit & Hartenberg, J. Appl. Mech. 22 (1955) 215: one matrix a link.
# Corke, Robotics Toolbox for MATLAB, mdl_puma560: the constants, after Corke &
# Armstrong-Hélouvry, ICRA (1994) 1608.
# Corke, Robotics, Vision and Control (2011), ch. 7 and 8: the pose and Jacobian that are tested.

## From a link's frame to that before it, Denavit & Hartenberg (1955): turn by q about z, go d along
## z and a along x, turn by α about x.
fn link(q, d, a, α) = [
  [cos(q), -sin(q)*cos(α), sin(q)*sin(α), a*cos(q)],
  [sin(q), cos(q)*cos(α), -cos(q)*sin(α), a*sin(q)],
  [0, sin(α), cos(α), d],
  [0, 0, 0, 1]]

## The hand's frame in that of the base: a rotation, its last column the position.
fn pose(q: [6]) =
  link(q[0], 0, 0, pi/2) @
  link(q[1], 0, 0.4318, 0) @
  link(q[2], 0.15005, 0.0203, -pi/2) @
  link(q[3], 0.4318, 0, pi/2) @
  link(q[4], 0, 0, -pi/2) @
  link(q[5], 0, 0, 0)

## How the frame changes with each joint: the last index.
fn rates(q: [6]) -> [4, 4, 6] = jacobian(pose(q), q)

## Velocity of the hand (above) and its angular velocity (below) for a unit velocity of each joint.
## The angular one is read off the antisymmetric matrix R' R^T.
fn velocities(q: [6]) -> [6, 6] {
  T = pose(q)
  dT = rates(q)
  W = [sum(dT[i, k, n]*T[j, k] for k in 0..3) for i in 0..3, j in 0..3, n]
  return stack(dT[0, 3], dT[1, 3], dT[2, 3], W[2, 1], W[0, 2], W[1, 0])
}
