// What all messages of nfnetlink begin with.

#pragma once

#include <cstdint>

#include "plumbline/wire/netlink.hpp"

namespace plumbline::firewall {

/// `operation` is a command of the subsystem `subsystem` (NFNL_SUBSYS_…).
[[nodiscard]] wire::MessageBuilder netfilter_message(unsigned subsystem, unsigned operation,
                                                     unsigned flags, std::uint8_t family);
[[nodiscard]] bool is_netfilter_message(const wire::Message& message, unsigned subsystem,
                                        unsigned operation);

}  // namespace plumbline::firewall
