#include "dump.hpp"

#include "plumbline/base/family.hpp"

namespace plumbline::detail {

namespace {

/// rtmsg, fib_rule_hdr and the like start with the family; 0 (AF_UNSPEC) asks for all of them.
std::uint8_t asked_family(const wire::Request& request) {
  const auto* dump = std::get_if<wire::NetlinkDump>(&request);
  if (dump == nullptr) throw wire::Malformed("not a netlink dump");
  std::uint8_t family = 0;
  wire::for_each_message(
      dump->message, [&](const wire::Message& message) { family = message.fixed<std::uint8_t>(); });
  return family;
}

}  // namespace

void for_each_dumped(const wire::Request& request, const wire::Reply& reply, std::uint16_t type,
                     const std::function<void(const wire::Message&)>& visit) {
  const std::uint8_t family = asked_family(request);
  if (reply.error != 0) {
    throw wire::Malformed("netlink dump failed: " + std::to_string(reply.error) + " " +
                          reply.message);
  }
  wire::for_each_message(reply.bytes, [&](const wire::Message& message) {
    if (message.type() != type) return;
    if (family == 0 || message.fixed<std::uint8_t>() == family) visit(message);
  });
}

}  // namespace plumbline::detail
