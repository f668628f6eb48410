# Textbook formulas of physics and chemistry, each with its domain, its units and its source.
# Units are SI unless a line says otherwise; the unit of the result stands after "->".
# Constants are CODATA 2022 (E. Tiesinga et al., 2024); those of the SI of 2019 are exact.
# Expected values: exact by hand, published (the source is named), or, where a comment says mpmath,
# from the formula of the source with the constants below at 30 digits.

const c_0 = 299792458                   # speed of light, m/s, exact
const h_P = 6.62607015e-34              # Planck constant, J s, exact
const k_B = 1.380649e-23                # Boltzmann constant, J/K, exact
const q_e = 1.602176634e-19             # elementary charge, C, exact
const N_A = 6.02214076e23               # Avogadro constant, 1/mol, exact
const R_gas = N_A*k_B                   # gas constant, J/(mol K), exact
const F_mol = N_A*q_e                   # Faraday constant, C/mol, exact
const G_N = 6.67430e-11                 # Newtonian constant of gravitation, m^3/(kg s^2)
const eps_0 = 8.8541878188e-12          # vacuum electric permittivity, F/m
const mu_0 = 1.25663706127e-6           # vacuum magnetic permeability, N/A^2
const m_e = 9.1093837139e-31            # electron mass, kg
const g_n = 9.80665                     # standard acceleration of gravity, m/s^2, exact (CGPM 1901)

# Mechanics

## Range and greatest height of a projectile over level ground, without drag.
## v: m/s, angle: rad -> m, m. Galilei, Discorsi (1638), day 4; Halliday & Resnick, sec. 4-4.
fn projectile(v in (0, 1000), angle in (0, 1.5)) {
  reach = v^2*sin(2*angle)/g_n
  height = (v*sin(angle))^2/(2*g_n)
  return reach, height
}

fn projectile_range(v in (0, 1000), angle in (0, 1.5)) {
  reach, _ = projectile(v, angle)
  return reach
}

test projectile_range(9.80665, pi/4) ~= 9.80665     # v^2/g = g s^2 at 45 degrees
test diff(projectile_range(v, angle), v) == 2*v*sin(2*angle)/9.80665

## Period of a pendulum to the fourth order of its amplitude.
## length: m, amplitude: rad -> s. Landau & Lifshitz, Mechanics, sec. 11, problem 1 (first terms).
fn pendulum_period(length in (0.01, 100), amplitude in (0, 1)) {
  small = 2*pi*sqrt(length/g_n)         # Huygens, Horologium oscillatorium (1673)
  return small*(1 + amplitude^2/16 + 11*amplitude^4/3072)
}

test pendulum_period(9.80665, 0) ~= 6.2831853071795865
test pendulum_period(9.80665, 0.5) ~= 6.3827662266598294  # mpmath

## Displacement of an underdamped oscillator released at rest from x0.
## x0: m, damping: 1/s, omega: 1/s, t: s -> m. Landau & Lifshitz, Mechanics, sec. 25.
fn damped_oscillator(x0, damping in (0, 1), omega in (2, 10), t in (0, 10)) {
  omega_d = sqrt(omega^2 - damping^2)
  phase = omega_d*t
  return x0*exp(-damping*t)*(cos(phase) + damping/omega_d*sin(phase))
}

test damped_oscillator(2, 0.3, 5, 0) == 2
test damped_oscillator(2, 3, 5, 1) ~= -0.12160446564260835  # mpmath

## Steady amplitude of a driven oscillator.
## force: N, m: kg, gamma: 1/s, omega_0, omega: 1/s -> m. Feynman Lectures, vol. I, sec. 23-2.
fn driven_amplitude(
  force, m in (0.1, 10), gamma in (0.01, 10), omega_0 in (0.1, 10), omega in (0.1, 10)
) = force/(m*sqrt((omega_0^2 - omega^2)^2 + (gamma*omega)^2))

test driven_amplitude(6, 2, 0.5, 3, 3) == 2         # at resonance: force/(m gamma omega)

## Velocity gained by a rocket.
## exhaust: m/s, m0, m1: kg (before, after) -> m/s. Tsiolkovsky (1903).
fn rocket(exhaust in (100, 1e4), m0 in (1000, 1e6), m1 in (1, 1000)) = exhaust*log(m0/m1)

test rocket(3000, exp(2), 1) ~= 6000

## Speed of a sphere falling with quadratic drag from rest.
## t: s, m: kg, k: kg/m -> m/s. Taylor, Classical Mechanics (2005), sec. 2.4.
fn fall_with_drag(t in (0, 30), m in (0.1, 10), k in (0.01, 1)) {
  terminal = sqrt(m*g_n/k)
  return terminal*tanh(g_n*t/terminal)
}

test fall_with_drag(1, 9.80665, 1) ~= 7.4686873295036017  # mpmath
test diff(fall_with_drag(t, m, k), t) == 9.80665 - k/m*fall_with_drag(t, m, k)^2   # Newton's law

## Kinetic energy lost in a collision with restitution coefficient r.
## m1, m2: kg, v1, v2: m/s -> J. Goldsmith, Impact (1960), ch. 1.
fn collision_loss(m1 in (0.1, 10), m2 in (0.1, 10), v1, v2, r in (0, 1)) {
  reduced = m1*m2/(m1 + m2)
  return reduced*(1 - r^2)*(v1 - v2)^2/2
}

test collision_loss(2, 2, 3, 1, 0) == 2
test collision_loss(2, 2, 3, 1, 1) == 0

# Gravitation and astronomy

## Gravity of a homogeneous ball, inside and outside.
## M: kg, radius: m, r: m -> m/s^2. Newton, Principia (1687), book I, props. 71 to 73.
fn gravity(M in (1e20, 1e30), radius in (1e5, 1e8), r in (1e3, 1e9)) =
  if r < radius then G_N*M*r/radius^3 else G_N*M/r^2

test gravity(5.9722e24, 6.371e6, 6.371e6) ~= 9.8203022933856449  # mpmath
test gravity(8e24, 2e6, 1e6) ~= 66.743

## Escape velocity. M: kg, r: m -> m/s. Carroll & Ostlie, Modern Astrophysics, sec. 2.2.
fn escape_velocity(M in (1e20, 1e33), r in (1e3, 1e12)) = sqrt(2*G_N*M/r)

# Earth: 11.186 km/s in the fact sheet of NASA; its digits from its mass and mean radius by mpmath
test escape_velocity(5.9722e24, 6.371e6) ~= 11186.165197346224
test diff(escape_velocity(M, r), M) == escape_velocity(M, r)/(2*M)

## Orbital speed at distance r on an ellipse of semi-major axis a ("vis viva").
## mu: m^3/s^2, r, a: m -> m/s. Bate, Mueller & White, Fundamentals of Astrodynamics, ch. 1.
fn vis_viva(mu in (1e10, 1e21), r in (1e6, 1e8), a in (1e8, 1e12)) = sqrt(mu*(2/r - 1/a))

test vis_viva(3.986004418e14, 6.778e6, 6.778e6) ~= 7668.6356751976511  # mpmath

## The two burns of a Hohmann transfer between circles of radius r1 < r2.
## mu: m^3/s^2, r1, r2: m -> m/s, m/s. Hohmann (1925); Bate, Mueller & White, ch. 3.
fn hohmann(mu in (1e13, 1e15), r1 in (6e6, 8e6), r2 in (1e7, 1e8)) {
  a = (r1 + r2)/2                       # of the transfer ellipse
  first = vis_viva(mu, r1, a) - vis_viva(mu, r1, r1)
  second = vis_viva(mu, r2, r2) - vis_viva(mu, r2, a)
  return first, second
}

fn hohmann_total(mu in (1e13, 1e15), r1 in (6e6, 8e6), r2 in (1e7, 1e8)) {
  first, second = hohmann(mu, r1, r2)
  return first + second
}

# mpmath, from r1 = 6678 km to the geostationary 42164 km
test hohmann_total(3.986004418e14, 6.678e6, 4.2164e7) ~= 3892.6077435913116

## Period of an orbit. a: m, M: kg -> s. Kepler, Harmonices mundi (1619), with Newton's constant.
fn kepler_period(a in (1e6, 1e13), M in (1e20, 1e32)) = 2*pi*sqrt(a^3/(G_N*M))

# one astronomical unit (IAU 2012, resolution B2) around 1.98847e30 kg; mpmath
test kepler_period(1.495978707e11, 1.98847e30) ~= 31557718.872965653

## Horizon of a black hole. M: kg -> m. Schwarzschild (1916); Carroll & Ostlie, sec. 17.3.
fn schwarzschild_radius(M in (1e20, 1e40)) = 2*G_N*M/c_0^2

test schwarzschild_radius(1.98847e30) ~= 2953.3393820668786  # mpmath; 2.95 km

## Temperature of a black hole. M: kg -> K. Hawking, Nature 248 (1974) 30.
fn hawking_temperature(M in (1e10, 1e40)) = h_P*c_0^3/(16*pi^2*G_N*M*k_B)

test hawking_temperature(1e20) ~= 1226.9006705940171  # mpmath

## Perihelion advance a turn. M: kg, a: m -> rad.
## Einstein (1915); Weinberg, Gravitation and Cosmology, sec. 8.6.
fn perihelion_advance(M in (1e29, 1e31), a in (1e10, 1e12), ecc in (0, 0.9)) =
  3*pi*schwarzschild_radius(M)/(a*(1 - ecc^2))

# Mercury, seconds of arc a century of 415.2 turns: 43 in the literature; the digits by mpmath
test perihelion_advance(1.98847e30, 5.7909e10, 0.20563)*415.2*648000/pi ~= 42.981742325516641

## Distance from a magnitude difference m - M. modulus: mag -> pc. Carroll & Ostlie, sec. 3.2.
fn distance_from_modulus(modulus in (-5, 30)) = 10^(modulus/5 + 1)

test distance_from_modulus(5) ~= 100

# Relativity

## The Lorentz factor of beta = v/c. Einstein (1905), sec. 3.
fn lorentz(beta in (-0.99, 0.99)) = 1/sqrt(1 - beta^2)

test lorentz(0.6) ~= 1.25
test lorentz'(beta) == beta*lorentz(beta)^3

## Sum of parallel velocities, in units of c. Einstein (1905), sec. 5.
fn add_velocities(u in (-0.99, 0.99), v in (-0.99, 0.99)) = (u + v)/(1 + u*v)

test add_velocities(0.5, 0.5) ~= 0.8
test add_velocities(tanh(a), tanh(b)) == tanh(a + b)    # rapidities add

## Relativistic Doppler factor, source receding. Einstein (1905), sec. 7.
fn doppler(beta in (-0.99, 0.99)) = sqrt((1 - beta)/(1 + beta))

test doppler(0.6) ~= 0.5

## Kinetic energy. m: kg, v: m/s -> J. Einstein (1905), sec. 10; Jackson, sec. 11.5.
fn kinetic_energy(m in (0.001, 1000), v in (1e7, 2.9e8)) = m*c_0^2*(lorentz(v/c_0) - 1)

test kinetic_energy(1, 0.6*299792458) ~= 2.2468879468420441e16    # c^2/4

## Distance covered by a rocket of constant proper acceleration a after proper time tau.
## a: m/s^2, tau: s -> m. Misner, Thorne & Wheeler, Gravitation, sec. 6.2.
fn relativistic_rocket(a in (1, 100), tau in (1e6, 1e8)) = c_0^2/a*(cosh(a*tau/c_0) - 1)

test relativistic_rocket(9.80665, 1e8) ~= 1.1171595244852797e+17  # mpmath

# Waves and optics

## Phase velocity of gravity waves on water. wavelength, depth: m -> m/s.
## Lamb, Hydrodynamics, art. 229.
fn water_wave(wavelength in (0.1, 1000), depth in (0.1, 1000)) {
  k = 2*pi/wavelength
  return sqrt(g_n/k*tanh(k*depth))
}

test water_wave(2*pi, 1000) ~= 3.1315571206669695  # deep water, k = 1: sqrt(g)

## Frequency of a string. tension: N, density: kg/m, length: m, n: overtone -> Hz. Mersenne (1636).
fn string_frequency(tension in (1, 1000), density in (1e-4, 0.1), length in (0.1, 10), n: int) =
  n/(2*length)*sqrt(tension/density)

test string_frequency(100, 0.01, 0.5, 2) ~= 200

## Sound level of an intensity. intensity: W/m^2 -> dB. ISO 1683 (reference 1 pW/m^2).
fn sound_level(intensity in (1e-12, 100)) = 10*log10(intensity/1e-12)

test sound_level(1e-4) ~= 80

## Refraction angle. n1, n2: indices, angle: rad -> rad. Snell; Hecht, Optics, sec. 4.4.
fn snell(n1 in (1, 1.4), n2 in (1.4, 3), angle in (-1.5, 1.5)) = asin(n1/n2*sin(angle))

test snell(1, sqrt(3), pi/3) ~= 0.52359877559829887   # pi/6

## Amplitudes reflected, s and p polarised. Fresnel (1823); Hecht, Optics, eqs. (4.34), (4.40).
fn fresnel(n1 in (1, 1.4), n2 in (1.4, 3), angle in (0, 1.5)) {
  incoming = cos(angle)
  refracted = cos(snell(n1, n2, angle))
  r_s = (n1*incoming - n2*refracted)/(n1*incoming + n2*refracted)
  r_p = (n2*incoming - n1*refracted)/(n2*incoming + n1*refracted)
  return r_s, r_p
}

## Share of unpolarised light that is reflected.
fn reflectance(n1 in (1, 1.4), n2 in (1.4, 3), angle in (0, 1.5)) {
  r_s, r_p = fresnel(n1, n2, angle)
  return (r_s^2 + r_p^2)/2
}

test reflectance(1, 1.5, 0) ~= 0.04                # ((n - 1)/(n + 1))^2

## Refractive index of N-BK7 glass. lambda: µm. Sellmeier (1871), coefficients of Schott AG (2014).
fn index_bk7(lambda in (0.4, 2)) {
  s = lambda^2
  t1 = 1.03961212*s/(s - 0.00600069867)
  t2 = 0.231792344*s/(s - 0.0200179144)
  t3 = 1.01046945*s/(s - 103.560653)
  return sqrt(1 + t1 + t2 + t3)
}

## Group index n - lambda n', in which a pulse travels. Born & Wolf, sec. 1.3.4.
fn group_index_bk7(lambda in (0.4, 2)) = index_bk7(lambda) - lambda*index_bk7'(lambda)

# Schott's data sheet gives n(0.5876 µm) = 1.51680; the digits by mpmath
test index_bk7(0.5875618) ~= 1.5168000345005885
test group_index_bk7(0.5875618) ~= 1.5413597873600099

## Focal length of a thick lens. n: index, r1, r2, d: m -> m. Hecht, Optics, eq. (6.2).
fn lensmaker(n in (1.4, 2), r1 in (0.05, 1), r2 in (-1, -0.05), d in (0, 0.02)) =
  1/((n - 1)*(1/r1 - 1/r2 + (n - 1)*d/(n*r1*r2)))

test lensmaker(1.5, 0.1, -0.1, 0) ~= 0.1

## Diffraction of one slit relative to its centre. beta: half the phase across it. Hecht, sec. 10.2.
fn single_slit(beta in (-10, 10)) = if beta == 0 then 1 else (sin(beta)/beta)^2

test single_slit(0) == 1
test single_slit(pi/2) ~= 0.40528473456935109       # 4/pi^2

## Transmission of a Fabry–Pérot cavity. phase: rad. Born & Wolf, sec. 7.6.
fn airy(finesse in (0, 100), phase) = 1/(1 + finesse*sin(phase/2)^2)

test airy(4, pi) ~= 0.2

## Radius of a Gaussian beam. waist, z, lambda: m -> m. Kogelnik & Li (1966), eq. (20).
fn beam_radius(waist in (1e-4, 0.01), z in (-1, 1), lambda in (1e-7, 1e-5)) {
  rayleigh = pi*waist^2/lambda
  return waist*sqrt(1 + (z/rayleigh)^2)
}

test beam_radius(2, 4*pi, 1) ~= 2.8284271247461901  # at z = the Rayleigh length: sqrt(2) waist

# Thermodynamics and statistical physics

## Pressure of a van der Waals gas for one mole.
## V: m^3/mol, T: K, a: Pa m^6/mol^2, b: m^3/mol -> Pa. van der Waals (1873).
fn van_der_waals(V in (1e-3, 1), T in (100, 1000), a in (0, 1), b in (1e-5, 1e-4)) =
  R_gas*T/(V - b) - a/V^2

## Compressibility factor p V/(R T).
fn compressibility(V in (1e-3, 1), T in (100, 1000), a in (0, 1), b in (1e-5, 1e-4)) =
  van_der_waals(V, T, a, b)*V/(R_gas*T)

test compressibility(V, T, 0, 0) == 1
# at the critical point V = 3b, R T = 8a/(27b) the factor is 3/8
test compressibility(3*b, 8*a/(27*b*8.31446261815324), a, b) == 3/8

## Speed of a molecule most often found. T: K, m: kg -> m/s. Maxwell (1860).
fn most_probable_speed(T in (1, 1e4), m in (1e-27, 1e-24)) = sqrt(2*k_B*T/m)

## Distribution of molecular speeds. v: m/s, T: K, m: kg -> s/m. Maxwell (1860).
fn maxwell(v in (10, 1000), T in (100, 1000), m in (1e-27, 1e-25)) {
  v_p = most_probable_speed(T, m)
  return 4/sqrt(pi)*v^2/v_p^3*exp(-(v/v_p)^2)
}

test maxwell(v, T, m) == 4*v^2/(sqrt(pi)*(2*1.380649e-23*T/m)^(3/2))*exp(-m*v^2/(2*1.380649e-23*T))
test most_probable_speed(300, 1.380649e-23*6) ~= 10

## Radiance of a black body per wavelength. lambda: m, T: K -> W/(m^3 sr). Planck (1901).
fn planck(lambda in (1e-7, 1e-4), T in (300, 6000)) =
  2*h_P*c_0^2/lambda^5/expm1(h_P*c_0/(lambda*k_B*T))

## Slope of Planck's law in the wavelength; it is 0 at the peak.
fn planck_slope(lambda in (1e-7, 1e-4), T in (300, 6000)) = diff(planck(lambda, T), lambda)

test planck(5e-7, 5772) ~= 26238540568595.831  # mpmath
# Wien: at the peak lambda T = 2.897771955e-3 m K (CODATA 2022), where x = hc/(lambda k T) solves
# x = 5(1 - exp(-x)); the slope over the radiance, times lambda, is x/(1 - exp(-x)) - 5
test planck_slope(5e-7, 5772)*5e-7/planck(5e-7, 5772) ~= 0.019687822894428783

## Power radiated by a black surface. T: K -> W/m^2. Stefan (1879), Boltzmann (1884).
fn stefan_boltzmann(T in (1, 1e4)) = 2*pi^5*k_B^4/(15*h_P^3*c_0^2)*T^4

test stefan_boltzmann(100) ~= 5.670374419184431     # CODATA 2022: 5.670374419…e-8 W/(m^2 K^4)

## Heat capacity of a crystal per mole. T, theta: K -> J/(mol K). Einstein (1907).
fn einstein_solid(T in (10, 1000), theta in (100, 2000)) {
  x = theta/T
  return 3*R_gas*(x/2/sinh(x/2))^2
}

test einstein_solid(600, 300) ~= 24.430165732854974  # mpmath

## Occupation of a state by fermions. energy, mu: J·k, T: same unit. Fermi (1926), Dirac (1926).
fn fermi_dirac(energy, mu, T in (0.1, 10)) = sigmoid((mu - energy)/T)

test fermi_dirac(1, 1, 0.3) == 0.5
test fermi_dirac(energy, mu, T) == 1/(exp((energy - mu)/T) + 1)

## Molar entropy of an ideal monatomic gas. T: K, p: Pa, m: kg -> J/(mol K). Sackur, Tetrode (1912).
fn sackur_tetrode(T in (10, 1e4), p in (100, 1e7), m in (1e-27, 1e-24)) =
  R_gas*(5/2 + log((2*pi*m*k_B*T/h_P^2)^1.5*k_B*T/p))

# CODATA 2022 gives S/R = -1.15170753496 for one atomic mass unit at 1 K and 100 kPa; mpmath
test sackur_tetrode(1, 1e5, 1.66053906892e-27)/8.31446261815324 ~= -1.1517075349596961

## Boiling pressure from that at T0. T, T0: K, heat: J/mol, p0: Pa -> Pa. Clausius (1850).
fn clausius_clapeyron(T in (250, 400), T0 in (250, 400), heat in (1e4, 1e5), p0 in (1e3, 1e6)) =
  p0*exp(-heat/R_gas*(1/T - 1/T0))

test clausius_clapeyron(T, T, heat, p0) == p0

## Saturation pressure of water vapour. t: degrees Celsius -> hPa.
## Buck (1981), with the coefficients of Buck Research, CR-1A manual (1996).
fn buck(t in (-20, 50)) = 6.1121*exp((18.678 - t/234.5)*t/(257.14 + t))

test buck(0) == 6.1121
test buck(20) ~= 23.383399784500184  # mpmath

## Temperature and pressure of the standard atmosphere. height: m -> K, Pa. ISO 2533:1975.
fn standard_atmosphere(height in (0, 20000)) {
  tropopause = 11000
  lapse = 0.0065
  h = min(height, tropopause)           # the temperature falls up to the tropopause only
  T = 288.15 - lapse*h
  p = 101325*(T/288.15)^(g_n/(287.05287*lapse))
  above = height - h
  return T, p*exp(-g_n*above/(287.05287*T))
}

fn atmosphere_temperature(height in (0, 20000)) {
  T, _ = standard_atmosphere(height)
  return T
}

fn atmosphere_pressure(height in (0, 20000)) {
  _, p = standard_atmosphere(height)
  return p
}

# the table of ISO 2533 gives 216.65 K and 22632 Pa at 11 km, 5474.9 Pa at 20 km; digits by mpmath
test atmosphere_temperature(15000) ~= 216.65
test atmosphere_pressure(11000) ~= 22632.040095007799
test atmosphere_pressure(20000) ~= 5474.8774242810459

## Spontaneous magnetisation of the square Ising lattice, 0 above the critical point.
## beta: J/(k T). Onsager (1949), proof by Yang, Phys. Rev. 85 (1952) 808.
fn ising_magnetisation(beta in (0.1, 2)) {
  s = sinh(2*beta)
  return if s > 1 then (1 - s^(-4))^(1/8) else 0
}

test ising_magnetisation(0.4) == 0
test ising_magnetisation(0.5) ~= 0.91131937787749598  # mpmath

# Electricity and magnetism

## Force between charges. q1, q2: C, r: m -> N. Coulomb (1785).
fn coulomb(q1, q2, r in (0.01, 10)) = q1*q2/(4*pi*eps_0*r^2)

test coulomb(1e-6, 1e-6, 1) ~= 0.0089875517861707987  # mpmath
test diff(coulomb(q1, q2, r), r) == -2*coulomb(q1, q2, r)/r

## Potential of a homogeneously charged ball. Q: C, radius, r: m -> V. Griffiths, problem 2.21.
fn ball_potential(Q, radius in (0.1, 1), r in (0.01, 2)) {
  k = Q/(4*pi*eps_0)
  return if r < radius then k*(3 - (r/radius)^2)/(2*radius) else k/r
}

test ball_potential(1e-9, 0.5, 0.5) ~= 17.975103572341597  # mpmath

## Axial field of a current loop. I: A, a, z: m -> T. Griffiths, Electrodynamics, ex. 5.6.
fn loop_field(I, a in (0.01, 1), z in (-1, 1)) = mu_0*I*a^2/(2*(a^2 + z^2)^1.5)

## Axial field of two loops, Helmholtz's arrangement: at their middle, derivatives 1 to 3 are 0.
fn helmholtz_field(I, a in (0.01, 1), z in (-0.2, 0.2)) =
  loop_field(I, a, z - a/2) + loop_field(I, a, z + a/2)

fn helmholtz_curvature(I, a in (0.01, 1), z in (-0.2, 0.2)) =
  diff(diff(helmholtz_field(I, a, z), z), z)

test helmholtz_field(1e6, 1, 0) ~= 0.89917628545449223  # (4/5)^(3/2) mu0 I/a
test helmholtz_curvature(1, 1, 0) ~= 0

## Voltage of a capacitor that charges through a resistor. U: V, R: ohm, C: F, t: s -> V.
## Horowitz & Hill, The Art of Electronics, sec. 1.4.
fn rc_charge(U, R in (1, 1000), C in (1e-4, 1), t in (0, 10)) = -U*expm1(-t/(R*C))

test rc_charge(10, 2, 0.5, 0) == 0
test diff(rc_charge(U, R, C, t), t) == (U - rc_charge(U, R, C, t))/(R*C)

## Impedance of a series circuit: modulus and phase.
## R: ohm, L: H, C: F, omega: 1/s -> ohm, rad. Halliday & Resnick, sec. 31-4.
fn impedance(R in (1, 1000), L in (1e-3, 1), C in (1e-6, 1e-3), omega in (10, 1e4)) {
  X = omega*L - 1/(omega*C)
  return sqrt(R^2 + X^2), atan2(X, R)
}

fn impedance_modulus(R in (1, 1000), L in (1e-3, 1), C in (1e-6, 1e-3), omega in (10, 1e4)) {
  Z, _ = impedance(R, L, C, omega)
  return Z
}

test impedance_modulus(30, 0.1, 1e-3, 500) ~= 56.603886792339623  # X = 50 - 2

## Current of a diode. U: V, I_s: A, n: ideality, T: K -> A. Shockley (1949).
fn diode(U in (-1, 0.8), I_s in (1e-12, 1e-6), n in (1, 2), T in (250, 400)) =
  I_s*expm1(q_e*U/(n*k_B*T))

test diode(0.6, 1e-9, 1, 300) ~= 12.010369553128534  # mpmath
test diode(0, I_s, n, T) == 0

## Drain current of a MOSFET: cut off, triode, saturated. U_gs, U_ds: V, k: A/V^2 -> A.
## Shichman & Hodges (1968), without channel-length modulation.
fn mosfet(U_gs in (-1, 5), U_ds in (0, 5), U_t in (0.5, 1), k in (1e-4, 1)) {
  over = U_gs - U_t
  return if over <= 0 then 0 else if U_ds < over then k*(over*U_ds - U_ds^2/2) else k*over^2/2
}

test mosfet(0.5, 1, 0.7, 1) == 0
test mosfet(3, 1, 1, 1) == 1.5
test mosfet(3, 4, 1, 1) == 2

## Skin depth. rho: ohm m, f: Hz, mu_r: 1 -> m. Jackson, Electrodynamics, eq. (5.165).
fn skin_depth(rho in (1e-8, 1e-5), f in (50, 1e9), mu_r in (1, 1000)) = sqrt(rho/(pi*f*mu_0*mu_r))

test skin_depth(1.68e-8, 50, 1) ~= 0.009225496966061016  # mpmath; copper, 9.2 mm

## Resistance to temperature of a thermistor. R: ohm -> K. Steinhart & Hart (1968).
fn steinhart_hart(R in (100, 1e6), A in (5e-4, 2e-3), B in (1e-4, 3e-4), C in (5e-8, 2e-7)) {
  l = log(R)
  return 1/(A + B*l + C*l^3)
}

test steinhart_hart(1, 0.004, 0.0002, 1e-7) == 250   # log 1 = 0

# Quantum and atomic physics

## Wavelength of a photon scattered by an electron. lambda: pm, angle: rad -> pm. Compton (1923).
fn compton(lambda in (0.1, 100), angle in (0, 3.14159)) {
  shift = h_P/(m_e*c_0)*1e12            # the Compton wavelength of the electron, in pm
  return lambda + shift*(1 - cos(angle))
}

test compton(10, pi/2) ~= 12.426310235380317  # mpmath; 10 + 2.42631023538 (CODATA 2022)

## Cross section of Compton scattering a solid angle, in units of the squared classical radius.
## energy: photon energy over m c^2. Klein & Nishina, Z. Phys. 52 (1929) 853.
fn klein_nishina(energy in (0.01, 10), angle in (0, 3.14)) {
  ratio = 1/(1 + energy*(1 - cos(angle)))
  return ratio^2*(ratio + 1/ratio - sin(angle)^2)/2
}

test klein_nishina(energy, 0) == 1                  # Thomson's forward limit

## Energy of a level of a hydrogen-like ion with infinite mass.
## Z: charge, n: level -> eV. Bohr (1913).
fn bohr_energy(Z in (1, 10), n in (1, 10)) = -m_e*q_e^3/(8*eps_0^2*h_P^2)*(Z/n)^2

## Wavelength of a line of such an ion. Z, n1 < n2 -> nm. Rydberg (1890).
fn spectral_line(Z in (1, 10), n1 in (1, 3), n2 in (3.5, 10)) =
  h_P*c_0/q_e*1e9/(bohr_energy(Z, n2) - bohr_energy(Z, n1))

test bohr_energy(1, 1) ~= -13.605693122966699  # mpmath; CODATA 2022: 13.605693122990 eV
test spectral_line(1, 2, 3) ~= 656.11227642064672  # mpmath; H-alpha, 656.1 nm

## Transmission of a particle through a rectangular barrier higher than its energy.
## energy, height: eV, width: nm. Griffiths, Quantum Mechanics, problem 2.33.
fn tunnel(energy in (0.1, 4), height in (5, 10), width in (0.05, 1)) {
  kappa = 2*pi/h_P*sqrt(2*m_e*q_e*(height - energy))*1e-9     # 1/nm
  s = sinh(kappa*width)
  return 1/(1 + height^2*s^2/(4*energy*(height - energy)))
}

test tunnel(1, 5, 0.1) ~= 0.30292137695409392  # mpmath

## Energy of a diatomic molecule. r: nm, D: eV, a: 1/nm, r_e: nm -> eV. Morse (1929).
fn morse(r in (0.05, 1), D in (0.1, 10), a in (1, 30), r_e in (0.05, 0.3)) =
  D*(1 - exp(-a*(r - r_e)))^2

fn morse_stiffness(r in (0.05, 1), D in (0.1, 10), a in (1, 30), r_e in (0.05, 0.3)) =
  diff(diff(morse(r, D, a, r_e), r), r)

test morse_stiffness(r_e, D, a, r_e) == 2*D*a^2     # the spring constant at the minimum

## Energy of two noble-gas atoms. r, sigma: nm, epsilon: any unit of energy. Jones (1924).
fn lennard_jones(r in (0.2, 2), epsilon in (0.1, 10), sigma in (0.2, 0.4)) {
  s = (sigma/r)^6
  return 4*epsilon*(s^2 - s)
}

## The force between them, -dV/dr.
fn lennard_jones_force(r in (0.2, 2), epsilon in (0.1, 10), sigma in (0.2, 0.4)) =
  -diff(lennard_jones(r, epsilon, sigma), r)

test lennard_jones(2^(1/6), 1, 1) ~= -1
test lennard_jones_force(1, 1, 1) == 24

## Semi-empirical binding energy of a nucleus, without the pairing term.
## A: nucleons, Z: protons -> MeV. Weizsäcker (1935), Bethe (1936), with the coefficients
## of Rohlf, Modern Physics from alpha to Z0 (1994).
fn binding_energy(A in (20, 250), Z in (10, 100)) =
  15.75*A - 17.8*A^(2/3) - 0.711*Z^2/A^(1/3) - 23.7*(A - 2*Z)^2/A

test binding_energy(64, 32) ~= 541.184              # A^(1/3) = 4: 1008 - 284.8 - 182.016
test diff(binding_energy(A, Z), Z) == -1.422*Z/A^(1/3) + 94.8*(A - 2*Z)/A

# Fluids

## Friction factor of a pipe: laminar below Re = 2300, else Haaland's formula (turbulent).
## Re: Reynolds number, roughness: relative. Hagen (1839); Haaland, J. Fluids Eng. 105 (1983) 89.
fn friction_factor(Re in (100, 1e7), roughness in (1e-6, 0.05)) =
  if Re < 2300 then 64/Re else (1.8*log10((roughness/3.7)^1.11 + 6.9/Re))^(-2)

## Pressure lost in a pipe. length, D: m, v: m/s, rho: kg/m^3, mu: Pa s -> Pa.
## Weisbach (1845), Darcy (1857).
fn pressure_loss(
  length in (1, 1000), D in (0.01, 1), v in (0.01, 10),
  rho in (500, 2000), mu in (1e-4, 1e-2), roughness in (1e-6, 0.05)
) {
  Re = rho*v*D/mu
  return friction_factor(Re, roughness)*length/D*rho*v^2/2
}

test friction_factor(640, 0.001) == 0.1
test friction_factor(1e5, 1e-4) ~= 0.018265053014793862  # mpmath
test pressure_loss(10, 0.02, 0.05, 1000, 0.001, 0.0001) ~= 40   # Re = 1000: 0.064*500*1.25

## Settling speed of a small sphere. radius: m, excess: kg/m^3, mu: Pa s -> m/s. Stokes (1851).
fn stokes_settling(radius in (1e-6, 1e-3), excess in (10, 8000), mu in (1e-4, 1)) =
  2*excess*g_n*radius^2/(9*mu)

test stokes_settling(0.03, 1, 0.001) ~= 1.96133     # 2 g 0.0009/0.009

## Turning of a supersonic flow that expands. M: Mach number, gamma: heat ratio -> rad.
## Meyer (1908); Anderson, Modern Compressible Flow, eq. (4.44).
fn prandtl_meyer(M in (1.01, 10), gamma in (1.1, 1.7)) {
  k = sqrt((gamma + 1)/(gamma - 1))
  b = sqrt(M^2 - 1)
  return k*atan(b/k) - atan(b)
}

test prandtl_meyer(2, 1.4) ~= 0.46041368208269473  # mpmath; 26.380 degrees in the tables

## Normal shock: ratios of pressure and density, and the Mach number behind. Anderson, sec. 3.6.
fn normal_shock(M in (1.01, 10), gamma in (1.1, 1.7)) {
  pressure = 1 + 2*gamma/(gamma + 1)*(M^2 - 1)
  density = (gamma + 1)*M^2/(2 + (gamma - 1)*M^2)
  behind = sqrt((1 + (gamma - 1)/2*M^2)/(gamma*M^2 - (gamma - 1)/2))
  return pressure, density, behind
}

fn shock_pressure(M in (1.01, 10), gamma in (1.1, 1.7)) {
  pressure, _, _ = normal_shock(M, gamma)
  return pressure
}

fn shock_mach(M in (1.01, 10), gamma in (1.1, 1.7)) {
  _, _, behind = normal_shock(M, gamma)
  return behind
}

test shock_pressure(2, 1.4) ~= 4.5
test shock_mach(2, 1.4) ~= 0.57735026918962576      # 1/sqrt(3)

# Chemistry

## Rate constant. A: 1/s, energy: J/mol, T: K -> 1/s. Arrhenius (1889).
fn arrhenius(A, energy in (1e3, 1e5), T in (250, 1000)) = A*exp(-energy/(R_gas*T))

test arrhenius(A, 0, T) == A
test diff(arrhenius(A, energy, T), T) == arrhenius(A, energy, T)*energy/(8.31446261815324*T^2)

## Rate of an enzyme. s: substrate concentration, V: greatest rate, K: half saturation.
## Michaelis & Menten (1913).
fn michaelis_menten(s in (0, 10), V, K in (0.01, 10)) = V*s/(K + s)

test michaelis_menten(K, V, K) == V/2

## Share of haemoglobin that holds oxygen. p, half: same unit, n: exponent. Hill (1910).
fn hill(p in (0.01, 100), half in (1, 50), n in (1, 4)) = 1/(1 + (half/p)^n)

test hill(p, p, n) == 1/2

## Voltage of a cell. E0: V, T: K, z: electrons, Q: reaction quotient -> V. Nernst (1889).
fn nernst(E0, T in (250, 400), z in (1, 4), Q in (1e-6, 1e6)) = E0 - R_gas*T/(z*F_mol)*log(Q)

test nernst(1.1, 298.15, 2, 1) == 1.1
test nernst(0, 298.15, 1, 0.1) ~= 0.05915934968478233  # mpmath; 59.16 mV a decade

## pH of a buffer. pKa, acid, base: concentrations. Henderson (1908), Hasselbalch (1917).
fn buffer_ph(pKa, acid in (0.001, 10), base in (0.001, 10)) = pKa + log10(base/acid)

test buffer_ph(4.76, 0.1, 1) ~= 5.76

## Activity coefficient of an ion in water at 25 degrees.
## z: charge, strength: mol/kg. Davies, Ion Association (1962).
fn davies(z in (-3, 3), strength in (0.001, 0.5)) {
  s = sqrt(strength)
  return 10^(-0.509*z^2*(s/(1 + s) - 0.3*strength))
}

test davies(0, 0.1) == 1
test davies(1, 0.25) ~= 0.73876843850091524  # mpmath
