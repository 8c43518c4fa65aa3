// Addresses: what the spec says, how one value becomes another, and a real kernel.

#include "plumbline/kinds/address.hpp"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <fstream>
#include <ostream>
#include <tuple>

#include "plumbline/io/kernel_host.hpp"
#include "plumbline/kinds/link.hpp"
#include "plumbline/wire/netlink.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/spec_text.hpp"

namespace plumbline {

void PrintTo(const Address& address, std::ostream* out) {
  *out << format(key(address)) << '/' << int{address.local.length} << " proto "
       << int{address.protocol} << (address.permanent ? "" : " not permanent")
       << (address.secondary == true ? " secondary" : "");
}

namespace {

using test::ip;
using test::SpecText;

IfName name(std::string_view text) { return IfName::parse(text).value(); }

Address address(std::string_view text, std::uint8_t protocol = 112) {
  Address address;
  address.link = name("v0");
  address.local = InterfaceAddress::parse(text).value();
  address.protocol = protocol;
  return address;
}

// ---- the spec -----------------------------------------------------------------------------------

std::optional<Address> read(SpecText& text, std::string_view link = "v0") {
  return Address::from_spec(text.entry(), name(link));
}

TEST(AddressFromSpec, IsTheInverseOfToSpec) {
  for (const std::string_view text :
       {"10.0.0.1/24", "10.0.0.0/24", "10.0.0.0/31", "10.0.0.1/31", "10.0.0.255/32", "240.0.0.1/8",
        "fe80::1/64", "fd00::ff/120", "127.0.0.2/8", "2001:db8::/64"}) {
    SpecText spec('"' + std::string(text) + '"');
    const auto read_back = read(spec);
    ASSERT_TRUE(spec.errors().empty()) << text;
    EXPECT_EQ(read_back, address(text, 0));
    EXPECT_EQ(boost::json::serialize(to_spec(*read_back)), '"' + std::string(text) + '"');
  }
}

TEST(AddressFromSpec, RefusesWhatNoInterfaceCanHave) {
  for (const std::string_view text :
       {"10.0.0.1", "10.0.0.1/33", "10.0.0.01/24", "10.0.0.1/024", "fd00::1/129", "eth0/24", "",
        "0.0.0.0/0", "::/64", "224.0.0.1/24", "239.255.255.255/32", "ff02::1/64", "10.0.0.255/24",
        "10.255.255.255/8", "10.0.0.3/30", "255.255.255.255/32", "::1/128"}) {
    SpecText spec('"' + std::string(text) + '"');
    EXPECT_EQ(read(spec), std::nullopt) << text;
    ASSERT_EQ(spec.errors().size(), 1U) << text;
    EXPECT_EQ(spec.errors()[0].code, Code::invalid_address);
  }
  SpecText number("17");
  EXPECT_EQ(read(number), std::nullopt);
  EXPECT_EQ(number.errors().at(0).code, Code::wrong_type);
}

TEST(AddressFromSpec, LetsOnlyTheLoopbackLinkHaveTheLoopbackAddress) {
  SpecText spec("\"::1/128\"");
  EXPECT_TRUE(read(spec, "lo"));
}

// ---- values -------------------------------------------------------------------------------------

TEST(AddressKey, IsWhatTheKernelTellsAddressesApartBy) {
  EXPECT_NE(key(address("10.0.0.1/24")), key(address("10.0.0.1/16")));
  EXPECT_EQ(key(address("fd00::1/64")), key(address("fd00::1/48")));
  Address with_peer = address("10.0.0.1/32");
  with_peer.peer = IpAddress::parse("10.0.0.2");
  EXPECT_NE(key(with_peer), key(address("10.0.0.1/32")));
  Address near = address("10.0.0.1/24");
  near.peer = IpAddress::parse("10.0.0.2");
  EXPECT_EQ(key(near), key(address("10.0.0.1/24")));
  EXPECT_EQ(format(key(address("10.0.0.1/24"))), "address v0 10.0.0.1/24");
  EXPECT_EQ(format(key(address("fd00::1/64"))), "address v0 fd00::1");
  EXPECT_EQ(format(key(with_peer)), "address v0 10.0.0.1 peer 10.0.0.2/32");
}

TEST(CompleteAddress, ForgetsNoField) {
  Address have = address("10.0.0.1/24");
  have.secondary = true;
  have.dad_failed = true;
  // When this no longer compiles there is a new field, for complete() and the decoder.
  have.chosen_flags = IFA_F_NOPREFIXROUTE;
  have.route_metric = 5;
  have.temporary = true;
  const auto& [link, local, peer, protocol, permanent, secondary, dad_failed, temporary, flags,
               metric] = have;
  static_cast<void>(std::tie(link, local, peer, protocol, permanent, secondary, dad_failed,
                             temporary, flags, metric));
  EXPECT_EQ(complete(address("10.0.0.1/24"), have), have);
}

TEST(AddressTransition, ReplacesWhereTheKernelCannotChange) {
  const auto change = [](const Address& have, const Address& want) {
    return transition(have, complete(want, have)).change;
  };
  EXPECT_EQ(change(address("fd00::1/64"), address("fd00::1/48")), Change::replace);
  EXPECT_EQ(change(address("10.0.0.1/24", 0), address("10.0.0.1/24")), Change::replace);
  EXPECT_EQ(change(address("fd00::1/64", 0), address("fd00::1/64")), Change::update);
  Address dying = address("10.0.0.1/24");
  dying.permanent = false;
  EXPECT_EQ(change(dying, address("10.0.0.1/24")), Change::update);
  EXPECT_EQ(change(address("10.0.0.1/24"), address("10.0.0.1/24")), Change::none);
}

TEST(AddressMark, IsItsProtocol) {
  EXPECT_TRUE(is_marked(with_mark(address("10.0.0.1/24", 0), Mark{77}), Mark{77}));
  EXPECT_FALSE(is_marked(address("10.0.0.1/24", 77), Mark()));
}

TEST(AddressNeeds, ItsLink) {
  EXPECT_EQ(needs(address("10.0.0.1/24")), std::vector<Need>{NeedsLink{name("v0")}});
}

TEST(DecodeAddress, ReadsWhatCreateWrites) {
  LinkNames links;
  links.add(5, name("v0"));
  Address with_peer = address("10.0.0.1/32");
  with_peer.peer = IpAddress::parse("10.0.0.2");
  Address with_peer6 = address("fd00::1/128");
  with_peer6.peer = IpAddress::parse("fd00::2");
  for (const Address& wanted :
       {address("10.0.0.1/24"), address("fd00::1/64"), with_peer, with_peer6}) {
    wire::Reply reply;
    reply.bytes = std::get<wire::NetlinkChange>(create(wanted, links).at(0)).message;
    std::vector<Address> out;
    Address::decode(Address::queries({}).at(0), reply, links, out);
    ASSERT_EQ(out.size(), 1U);
    out[0].permanent = true;  // which the kernel says, not the request
    EXPECT_EQ(complete(wanted, out[0]), out[0]);
  }
}

TEST(DecodeAddress, TakesAFailedDumpForNoAnswer) {
  wire::Reply reply;
  reply.error = EPERM;
  std::vector<Address> out;
  EXPECT_THROW(Address::decode(Address::queries({}).at(0), reply, LinkNames(), out),
               wire::Malformed);
}

// ---- the kernel ---------------------------------------------------------------------------------

class AddressInKernel : public test::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    ip("link add v0 type veth peer name v1");
    ip("link set v0 up");
    ip("link set v1 up");
    host_.emplace();
    const auto queries = Link::queries({});
    links_ = link_names(host_->exchange(std::span(queries).first(1)).front());
  }

  std::vector<Address> observe() {
    const auto queries = Address::queries({});
    const auto replies = host_->exchange(queries);
    std::vector<Address> all;
    Address::decode(queries.front(), replies.front(), links_, all);
    return all;
  }
  std::optional<Address> find(const Address& like) {
    for (const Address& one : observe()) {
      if (key(one) == key(like)) return one;
    }
    return std::nullopt;
  }
  int send(const std::vector<wire::Request>& requests) {
    for (const wire::Reply& reply : host_->exchange(requests)) {
      if (reply.error != 0) return reply.error;
    }
    return 0;
  }
  int make(const Address& wanted) { return send(create(wanted, links_)); }
  /// Expects the address to be there exactly as wanted.
  void is_there(const Address& wanted) {
    const auto have = find(wanted);
    ASSERT_TRUE(have) << format(key(wanted));
    EXPECT_EQ(complete(wanted, *have), *have);
  }

  std::optional<io::KernelHost> host_;
  LinkNames links_;
};

TEST_F(AddressInKernel, IsMadeSeenAndRemoved) {
  for (const std::string_view text : {"10.0.0.1/24", "10.0.1.0/31", "127.0.0.9/8", "fd00::1/64"}) {
    SCOPED_TRACE(std::string(text));
    const Address wanted = address(text);
    const auto before = observe();
    ASSERT_EQ(make(wanted), 0);
    is_there(wanted);
    EXPECT_EQ(make(wanted), EEXIST);
    ASSERT_EQ(send(remove(wanted, links_)), 0);
    EXPECT_EQ(observe(), before);
    EXPECT_EQ(send(remove(wanted, links_)), EADDRNOTAVAIL);
  }
}

TEST_F(AddressInKernel, IsMadeAsIpWouldMakeIt) {
  const auto shown = [] { return ip("-o -4 address show dev v0"); };
  for (const std::string_view text : {"10.0.0.1/24", "127.0.0.9/8"}) {
    ip("address add " + std::string(text) + " dev v0");
    const std::string by_ip = shown();
    ip("address flush dev v0 scope global");
    ip("address flush dev v0 scope host");
    ASSERT_EQ(make(address(text, 0)), 0);
    EXPECT_EQ(shown(), by_ip);
    ASSERT_EQ(send(remove(address(text), links_)), 0);
  }
}

TEST_F(AddressInKernel, KeepsTheOthersWhenOneIsRemoved) {
  ip("address add 10.0.0.1/16 dev v0");
  ip("address add 10.0.0.1 peer 10.0.1.2/24 dev v0");
  ASSERT_EQ(make(address("10.0.0.1/24")), 0);
  const auto before = observe();
  ASSERT_EQ(send(remove(address("10.0.0.1/24"), links_)), 0);
  EXPECT_EQ(observe().size() + 1, before.size());
  EXPECT_FALSE(find(address("10.0.0.1/24")));
}

TEST_F(AddressInKernel, IsInTheWayOfOneOfTheSameKey) {
  ip("address add 10.0.0.1 peer 10.0.0.2/24 dev v0");
  EXPECT_TRUE(find(address("10.0.0.1/24")));
  EXPECT_EQ(make(address("10.0.0.1/24")), EEXIST);
  ip("address add fd00::1/64 dev v0");
  EXPECT_TRUE(find(address("fd00::1/48")));
  EXPECT_EQ(make(address("fd00::1/48")), EEXIST);
}

TEST_F(AddressInKernel, GetsItsLifetimeBack) {
  for (const std::string_view text : {"10.0.0.1/24", "fd00::1/64"}) {
    for (const std::string_view lifetime :
         {"valid_lft 1000 preferred_lft 1000", "valid_lft forever preferred_lft 0"}) {
      SCOPED_TRACE(std::string(text) + ' ' + std::string(lifetime));
      const Address wanted = address(text);
      ASSERT_EQ(make(wanted), 0);
      ip("address change " + std::string(text) + " dev v0 " + std::string(lifetime));
      const Address have = find(wanted).value();
      EXPECT_FALSE(have.permanent);
      // ip(8) of before 6.3 takes the protocol away as well.
      ASSERT_NE(transition(have, complete(wanted, have)).change, Change::none);
      ASSERT_EQ(send(update(have, complete(wanted, have), links_)), 0);
      is_there(wanted);
      ASSERT_EQ(send(remove(wanted, links_)), 0);
    }
  }
}

TEST_F(AddressInKernel, SeesSecondariesAndPeers) {
  ip("address add 10.0.0.1/24 dev v0");
  ip("address add 10.0.0.2/24 dev v0");
  ip("address add 10.9.0.1 peer 10.9.0.2/32 dev v0");
  EXPECT_EQ(find(address("10.0.0.1/24"))->secondary, false);
  EXPECT_EQ(find(address("10.0.0.2/24"))->secondary, true);
  Address with_peer = address("10.9.0.1/32");
  with_peer.peer = IpAddress::parse("10.9.0.2");
  EXPECT_TRUE(find(with_peer));
  EXPECT_EQ(find(with_peer)->protocol, 0);
  ASSERT_EQ(send(remove(with_peer, links_)), 0);
  EXPECT_EQ(make(with_peer), 0);
  is_there(with_peer);
}

TEST_F(AddressInKernel, SeesADuplicate) {
  const auto write = [](std::string_view path) {
    std::ofstream("/proc/sys/net/ipv6/conf/" + std::string(path)) << "1" << std::flush;
  };
  write("v0/dad_transmits");
  ip("address add fd00::1/64 dev v1 nodad");
  const Address wanted = address("fd00::1/64");
  ASSERT_EQ(make(wanted), 0);
  for (int i = 0; i < 100 && find(wanted)->dad_failed != true; ++i) usleep(50000);
  const Address have = find(wanted).value();
  EXPECT_EQ(have.dad_failed, true);
  EXPECT_EQ(transition(have, complete(wanted, have)), Transition{});
}

}  // namespace
}  // namespace plumbline
