// Families of generic netlink: found by name, as their numbers are given out when they register.

#pragma once

#include "plumbline/io/netlink_socket.hpp"

namespace plumbline::io {

/// The number is asked for every time: it is another one when a module was loaded anew.
[[nodiscard]] wire::Reply ask(NetlinkSocket& socket, const wire::GenericDump& dump);
[[nodiscard]] wire::Reply change(NetlinkSocket& socket, const wire::GenericChange& change);

}  // namespace plumbline::io
