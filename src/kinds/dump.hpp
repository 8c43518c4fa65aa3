// What the decoders of rtnetlink dumps share: refusing a failed dump, and reading only the messages
// that were asked for.

#pragma once

#include <cstdint>
#include <functional>

#include "plumbline/wire/netlink.hpp"

namespace plumbline::detail {

/// Calls `visit` for each message of `type` and of the family that `request` asked for: without a
/// handler for one family, rtnetlink dumps those of all (net/core/rtnetlink.c, rtnl_dump_all()).
/// Throws wire::Malformed on a reply that is an error, so that it is never taken for "none".
void for_each_dumped(const wire::Request& request, const wire::Reply& reply, std::uint16_t type,
                     const std::function<void(const wire::Message&)>& visit);

}  // namespace plumbline::detail
