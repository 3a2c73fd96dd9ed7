/* SPDX-License-Identifier: BSD-3-Clause */
/* CUBIC (RFC 9438): the window grows by the time since the last loss, along a cubic that is flat where that
 * loss was met. Octets and milliseconds; C is 0.4 segments/s^3, beta 0.7. Its terms are kept in the
 * connection's flight: without one, and once all is acknowledged, growth is that of RFC 5681. */
#include "tcp/cc.h"

#define FAR_MS 100000 /* from K: beyond this the cubic would leave 64 bits */

/* The whole cube root, by its bits. */
static uint32_t cube_root(uint64_t x)
{
	uint64_t root = 0;

	for (uint64_t bit = UINT64_C(1) << 20; bit > 0; bit >>= 1)
		if ((root | bit) * (root | bit) * (root | bit) <= x)
			root |= bit;
	return (uint32_t)root;
}

/* 4.6 and 4.7: ssthresh after a loss, and where the cubic is flat. A window that had not come back to the
 * last such place gives way to newer flows (fast convergence). */
uint32_t cubic_reduce(struct cubic *cubic, uint32_t cwnd, uint32_t flight)
{
	cubic->w_max = cwnd < cubic->w_max ? (uint32_t)((uint64_t)cwnd * 17 / 20) : cwnd;
	cubic->cwnd_prior = cwnd;
	cubic->running = false;
	return (uint32_t)((uint64_t)flight * 7 / 10);
}

/* 4.8: after a timeout the cubic begins where congestion avoidance does. */
void cubic_timeout(struct cubic *cubic)
{
	cubic->w_max = 0;
}

/* Congestion avoidance begins (4.2). */
static void begin(struct cubic *cubic, uint32_t cwnd, uint32_t mss, uint32_t now_ms)
{
	cubic->running = true;
	cubic->began_ms = now_ms;
	cubic->w_est = cwnd;
	if (cubic->w_max <= cwnd) {
		cubic->w_max = cwnd;
		cubic->k_ms = 0;
		return;
	}
	/* K = cbrt((W_max - cwnd) / C) with segments and seconds */
	cubic->k_ms = cube_root((uint64_t)(cubic->w_max - cwnd) * UINT64_C(2500000000) / mss);
}

/* W_cubic(t), equation 1. */
static uint64_t w_cubic(const struct cubic *cubic, uint32_t mss, uint32_t t_ms)
{
	const uint32_t apart = t_ms > cubic->k_ms ? t_ms - cubic->k_ms : cubic->k_ms - t_ms;
	const uint64_t d = apart < FAR_MS ? apart : FAR_MS;
	const uint64_t off = d * d * d * mss / UINT64_C(2500000000);

	if (t_ms >= cubic->k_ms)
		return cubic->w_max + off;
	return cubic->w_max > off ? cubic->w_max - off : 0;
}

/* The window that Reno would have with a decrease of 0.7: alpha is 9/17 until the old window is reached
 * (4.3), then 1. */
static void estimate(struct cubic *cubic, uint32_t cwnd, uint32_t mss, uint32_t acked)
{
	const uint64_t more = (uint64_t)acked * mss / cwnd;

	cubic->w_est += (uint32_t)(cubic->w_est < cubic->cwnd_prior ? more * 9 / 17 : more);
}

/* 4.2 to 4.5. @return how many octets cwnd grows for so many acknowledged */
uint32_t cubic_growth(struct cubic *cubic, uint32_t cwnd, uint32_t mss, uint32_t acked,
		      uint32_t rtt_ms, uint32_t now_ms)
{
	const uint64_t most = (uint64_t)cwnd + cwnd / 2;
	uint64_t target;
	uint32_t t_ms;

	if (!cubic->running)
		begin(cubic, cwnd, mss, now_ms);
	t_ms = now_ms - cubic->began_ms;
	estimate(cubic, cwnd, mss, acked);
	if (w_cubic(cubic, mss, t_ms) < cubic->w_est)
		return cubic->w_est > cwnd ? cubic->w_est - cwnd : 0;
	target = w_cubic(cubic, mss, t_ms + rtt_ms);
	target = target < most ? target : most;
	return target > cwnd ? (uint32_t)((target - cwnd) * acked / cwnd) : 0;
}
