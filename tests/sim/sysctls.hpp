// Settings below /proc/sys/net of a simulated namespace: a modest table of integers, those of each
// link among them, and what the kernel writes along with one.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/sim/namespace.hpp"

namespace plumbline::sim {

/// Without the newline. Throws Refusal.
[[nodiscard]] std::string read_setting(const Namespace& there, const std::string& path);
void write_setting(Namespace& there, const std::string& path, const std::string& value);
/// Refuses where it could not be written.
void check_writable(const Namespace& there, const std::string& path);

/// What a namespace begins with.
void make_first_settings(Namespace& there);
/// Of a new link: those of `default`.
void make_settings(Namespace& there, Device& device);
void make_inet6_settings(Namespace& there, Device& device);
void drop_inet6_settings(Device& device);
/// An IPv4 address keeps the settings of its link from following `default`.
void settle_inet(Device& device);

[[nodiscard]] bool promotes_secondaries(const Namespace& there, const Device& device);
[[nodiscard]] std::string inet6_setting(const Device& device, const std::string& name);
/// IFLA_INET_CONF
[[nodiscard]] std::vector<std::int32_t> inet_configuration(const Device& device);

}  // namespace plumbline::sim
