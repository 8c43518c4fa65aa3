#include "generic_netlink.hpp"

#include <cerrno>
#include <cstring>

#include "plumbline/io/host.hpp"
#include "plumbline/wire/wireguard.hpp"

namespace plumbline::io {

namespace {

wire::Bytes with_type(wire::Bytes message, std::uint16_t type) {
  nlmsghdr header{};
  if (message.size() < sizeof header) throw HostError("netlink: a request without a header");
  std::memcpy(&header, message.data(), sizeof header);
  header.nlmsg_type = type;
  std::memcpy(message.data(), &header, sizeof header);
  return message;
}

/// The reply is that of `send`, or says why the family has no number.
template <class Send>
wire::Reply with_family(NetlinkSocket& socket, const std::string& family, const Send& send) {
  wire::Reply found = socket.get(wire::family_query(family));
  if (found.error == ENOENT) {
    return {EPROTONOSUPPORT,
            "this kernel has no '" + family + "': its module is missing or cannot be loaded",
            {},
            {}};
  }
  if (found.error != 0) return found;
  return send(wire::read_family(found.bytes));
}

}  // namespace

wire::Reply ask(NetlinkSocket& socket, const wire::GenericDump& dump) {
  return with_family(socket, dump.family, [&](std::uint16_t number) {
    return socket.dump(with_type(dump.message, number));
  });
}

wire::Reply change(NetlinkSocket& socket, const wire::GenericChange& change) {
  return with_family(socket, change.family, [&](std::uint16_t number) {
    const wire::Bytes message = with_type(change.message, number);
    return socket.change({&message}).front();
  });
}

}  // namespace plumbline::io
