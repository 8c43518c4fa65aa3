// Links in a real kernel: a fixture that makes, sees and changes them, and samples that say
// everything a spec can.

#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <ostream>

#include "plumbline/io/kernel_host.hpp"
#include "plumbline/kinds/link.hpp"
#include "tests/support/netns.hpp"

namespace plumbline {

inline void PrintTo(const Link& link, std::ostream* out) {
  *out << format(key(link)) << ' ' << boost::json::serialize(to_spec(link))
       << (link.marked ? " marked" : "") << (link.carrier == true ? " carrier" : "")
       << (link.promote_secondaries == true ? " promotes" : "")
       << (link.has_qdisc == true ? " qdisc" : "");
}

namespace test {

inline IfName name(std::string_view text) { return IfName::parse(text).value(); }

class LinkInKernel : public NetnsTest {
 protected:
  struct Seen {
    std::vector<Link> all;
    LinkNames names;
  };

  io::KernelHost& host() {
    if (!host_) host_.emplace();
    return *host_;
  }

  Seen observe() {
    const auto queries = Link::queries({});
    const auto replies = host().exchange(queries);
    Seen seen;
    seen.names = link_names(replies.front());
    for (std::size_t i = 0; i < queries.size(); ++i) {
      Link::decode(queries[i], replies[i], seen.names, seen.all);
    }
    return seen;
  }

  std::optional<Link> find(std::string_view wanted) {
    for (const Link& link : observe().all) {
      if (link.name.view() == wanted) return link;
    }
    return std::nullopt;
  }
  Link seen(std::string_view wanted) { return find(wanted).value(); }

  /// One after the other up to the first that fails; gives its error.
  int send(const std::vector<wire::Request>& requests) {
    for (const wire::Request& request : requests) {
      const auto reply = host().exchange(std::span(&request, 1)).front();
      if (reply.error != 0) return reply.error;
    }
    return 0;
  }
  int make(const Link& link) { return send(create(link, observe().names)); }
  int change(const Link& have, const Link& want) {
    return send(update(have, want, observe().names));
  }

  /// Expects that what `commands` do is seen, that update() undoes it, and leaves everything as it
  /// was.
  void repairs(const Link& wanted, const std::vector<std::string_view>& commands) {
    SCOPED_TRACE(std::string(commands.back()));
    const auto before = observe().all;
    for (const std::string_view command : commands) ip(command);
    const Link have = seen(wanted.name.view());
    const Link want = complete(wanted, have);
    const Transition way = transition(have, want);
    EXPECT_EQ(way.change, Change::update);
    EXPECT_EQ(way.blocked_until, "");
    EXPECT_EQ(change(have, want), 0);
    EXPECT_EQ(observe().all, before);
  }

  /// Expects that from any of the values to any other, and back, the link is what it was.
  void goes_and_comes_back(const std::vector<Link>& values) {
    for (std::size_t i = 0; i < values.size() * values.size(); ++i) {
      const Link& from = values[i / values.size()];
      const Link& to = values[i % values.size()];
      SCOPED_TRACE(std::to_string(i));
      const auto reach = [&](const Link& value) {
        const Link have = seen(value.name.view());
        return change(have, complete(value, have));
      };
      ASSERT_EQ(reach(from), 0);
      const Link before = seen(from.name.view());
      const Link want = complete(to, before);
      ASSERT_EQ(change(before, want), 0);
      const Link after = seen(from.name.view());
      EXPECT_EQ(complete(want, after), after);
      ASSERT_EQ(change(want, before), 0);
      EXPECT_EQ(seen(from.name.view()), before);
    }
  }

 private:
  std::optional<io::KernelHost> host_;
};

/// CONFIG_BRIDGE_VLAN_FILTERING: without it the kernel shows 0, and refuses even a 0.
inline bool bridges_filter_vlans() {
  const auto command = [](std::string_view verb) {
    return run({"ip", "link", std::string(verb), "name", "probe", "type", "bridge",
                "vlan_filtering", "1"});
  };
  static const bool filter = command("add").status == 0;
  static_cast<void>(run({"ip", "link", "delete", "probe"}));
  return filter;
}

inline bool has_tun() { return access("/dev/net/tun", R_OK | W_OK) == 0; }

inline Link marked(std::string_view self, LinkKind kind) {
  Link link;
  link.name = name(self);
  link.kind = kind;
  link.up = true;
  link.marked = true;
  return link;
}

inline Link whole_bridge() {
  Link bridge = marked("br0", LinkKind::bridge);
  bridge.mtu = 1400;
  bridge.mac = Mac::parse("02:00:00:00:00:01");
  bridge.tx_queue_length = 77;
  bridge.alias = "the guests";
  bridge.bridge = BridgeOptions{true, 300, 12000, bridges_filter_vlans(), false, true};
  return bridge;
}

inline Link whole_tap() {
  Link tap = marked("t0", LinkKind::tap);
  tap.mtu = 1300;
  tap.mac = Mac::parse("02:00:00:00:00:02");
  tap.tx_queue_length = 88;
  tap.alias = "";
  tap.master = name("br0");
  tap.port = PortSettings{true, false, true, 17, std::uint16_t{9}, std::uint16_t{0xfffd}};
  tap.tap = TapOptions{1000, 1001, true, true};
  return tap;
}

inline Link whole_veth() {
  Link veth = marked("v0", LinkKind::veth);
  veth.mtu = 1200;
  veth.mac = Mac::parse("02:00:00:00:00:03");
  veth.tx_queue_length = 99;
  veth.alias = "uplink";
  veth.veth = VethOptions{name("v1")};
  return veth;
}

inline Link other_end() {
  Link veth = marked("v1", LinkKind::veth);
  veth.veth = VethOptions{name("v0")};
  veth.mtu = 1100;
  return veth;
}

}  // namespace test
}  // namespace plumbline
