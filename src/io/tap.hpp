// TAP interfaces through /dev/net/tun, which rtnetlink cannot make or give away.

#pragma once

#include "plumbline/io/netlink_socket.hpp"
#include "plumbline/wire/request.hpp"

namespace plumbline::io {

/// Makes a TAP that stays, or gives one to other users. `rtnetlink` must be of the calling thread's
/// network namespace. EEXIST where the name is taken, by whatever; EBUSY where a program holds the
/// TAP that was to change hands. In no case of error is an existing interface changed, and none is
/// left behind.
[[nodiscard]] wire::Reply change_tap(NetlinkSocket& rtnetlink, const wire::TapChange& change);

}  // namespace plumbline::io
