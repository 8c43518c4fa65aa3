// What all messages of nfnetlink begin with.

#pragma once

#include <cstdint>
#include <string_view>

#include "plumbline/wire/netlink.hpp"

namespace plumbline::wire {

/// `operation` is a command of the subsystem `subsystem` (NFNL_SUBSYS_…).
[[nodiscard]] MessageBuilder netfilter_message(unsigned subsystem, unsigned operation,
                                               unsigned flags, std::uint8_t family);
[[nodiscard]] bool is_netfilter_message(const Message& message, unsigned subsystem,
                                        unsigned operation);
/// Throws Malformed for what fits into no attribute.
void add_name(MessageBuilder& message, std::uint16_t type, std::string_view name);
void add_bytes(MessageBuilder& message, std::uint16_t type, std::span<const std::byte> bytes);

}  // namespace plumbline::wire
