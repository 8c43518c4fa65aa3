#include "tests/sim/kernel.hpp"

#include <linux/if.h>
#include <linux/rtnetlink.h>

#include <cerrno>

#include "plumbline/wire/netlink.hpp"
#include "tests/sim/addresses.hpp"
#include "tests/sim/links.hpp"
#include "tests/sim/neighbours.hpp"
#include "tests/sim/routes.hpp"
#include "tests/sim/rules.hpp"
#include "tests/sim/sysctls.hpp"

namespace plumbline::sim {

namespace {

using Change = void (*)(Namespace&, const wire::Message&);

Change change_for(std::uint16_t type) {
  switch (type) {
    case RTM_NEWLINK:
      return new_link;
    case RTM_SETLINK:
      return set_link;
    case RTM_DELLINK:
      return remove_link;
    case RTM_NEWLINKPROP:
    case RTM_DELLINKPROP:
      return change_altnames;
    case RTM_NEWADDR:
      return new_address;
    case RTM_DELADDR:
      return remove_address;
    case RTM_NEWROUTE:
      return new_route;
    case RTM_DELROUTE:
      return remove_route;
    case RTM_NEWNEIGH:
      return new_neighbour;
    case RTM_DELNEIGH:
      return remove_neighbour;
    case RTM_NEWRULE:
      return new_rule;
    case RTM_DELRULE:
      return remove_rule;
    default:
      throw Refusal{EOPNOTSUPP, ""};
  }
}

/// Carries `work` out, and makes a reply of what it refused.
template <class Work>
wire::Reply reply_to(const Work& work) {
  try {
    return work();
  } catch (const Refusal& refusal) {
    return {refusal.error, refusal.words, {}, {}};
  } catch (const wire::Malformed&) {
    return {EINVAL, {}, {}, {}};
  }
}

/// The first three bytes say that it is nobody's but ours (the bit 2 of the first).
std::function<Mac(const std::string&)> counted_macs() {
  return [count = 0U](const std::string&) mutable {
    ++count;
    const std::array<unsigned char, 6> bytes{
        2, 0, 0, 1, static_cast<unsigned char>(count >> 8U), static_cast<unsigned char>(count)};
    return *Mac::from_bytes(std::as_bytes(std::span(bytes)));
  };
}

}  // namespace

Kernel::Kernel(std::function<Mac(const std::string&)> new_mac) {
  there_.new_mac = new_mac ? std::move(new_mac) : counted_macs();
  make_first_settings(there_);
  add_first_rules(there_);
  Device loopback;
  loopback.name = "lo";
  loopback.flags = IFF_LOOPBACK;
  loopback.mtu = 65536;
  loopback.least_mtu = loopback.most_mtu = 0;
  register_device(there_, std::move(loopback));
}

wire::Reply Kernel::change(const wire::Bytes& message) {
  return reply_to([&] {
    const wire::Message request{std::span(message)};
    const Change carry_out = change_for(request.type());
    // rtnetlink_rcv_msg(): the kind of a message is its last two bits.
    const bool removes = (request.type() & 3U) == 1;
    if (removes && (request.flags() & NLM_F_BULK) != 0) {
      throw Refusal{EOPNOTSUPP, "Bulk delete is not supported"};
    }
    carry_out(there_, request);
    return wire::Reply();
  });
}

wire::Reply Kernel::dump(const wire::Bytes& message) const {
  return reply_to([&]() -> wire::Reply {
    const wire::Message request{std::span(message)};
    switch (request.type()) {
      case RTM_GETLINK:
        return {0, {}, {}, dump_links(there_)};
      case RTM_GETADDR:
        return {0, {}, {}, dump_addresses(there_, request)};
      case RTM_GETROUTE:
        return {0, {}, {}, dump_routes(there_, request)};
      case RTM_GETRULE:
        return {0, {}, {}, dump_rules(there_, request)};
      case RTM_GETNEIGH:
        return {0, {}, {}, dump_neighbours(there_, request)};
      case RTM_GETQDISC:  // none that somebody attached
        return {};
      default:
        throw Refusal{EOPNOTSUPP, ""};
    }
  });
}

wire::Reply Kernel::change(const wire::TapChange& change) {
  return reply_to([&] {
    change_tap(there_, change);
    return wire::Reply();
  });
}

wire::Reply Kernel::read(const wire::SysctlRead& request) const {
  return reply_to([&]() -> wire::Reply {
    if (request.for_writing) {
      check_writable(there_, request.path);
      return {};
    }
    return {0, {}, read_setting(there_, request.path), {}};
  });
}

wire::Reply Kernel::write(const wire::SysctlWrite& request) {
  return reply_to([&] {
    write_setting(there_, request.path, request.value);
    return wire::Reply();
  });
}

}  // namespace plumbline::sim
