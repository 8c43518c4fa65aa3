// Policy rules of a simulated namespace (net/core/fib_rules.c).

#pragma once

#include "plumbline/wire/netlink.hpp"
#include "tests/sim/namespace.hpp"

namespace plumbline::sim {

void new_rule(Namespace& there, const wire::Message& message);
void remove_rule(Namespace& there, const wire::Message& message);
/// Of the family asked for, or of both.
[[nodiscard]] wire::Bytes dump_rules(const Namespace& there, const wire::Message& request);
/// A link has come, or goes: rules know by index whom they mean (fib_rules_event()).
void attach_rules(Namespace& there, const Device& device);
void detach_rules(Namespace& there, int device);
/// Those that every namespace begins with.
void add_first_rules(Namespace& there);

}  // namespace plumbline::sim
