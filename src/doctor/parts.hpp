// The parts of an examination, each in a source of its own.

#pragma once

#include "plumbline/doctor/doctor.hpp"

namespace plumbline::doctor {

using Findings = std::vector<Finding>;

/// Kernel, capabilities, namespaces, files that have to be there, IPv6.
void examine_host(const Examination& examination, Findings& findings);
/// iptables programs, the tables of both backends, ipset.
void examine_firewall(const Examination& examination, Findings& findings);
/// Other programs that configure the network.
void examine_neighbours(const Examination& examination, Findings& findings);

}  // namespace plumbline::doctor
