#include "tests/bench/raw_taps.hpp"

#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "plumbline/wire/netlink.hpp"

namespace plumbline::bench {

namespace {

constexpr std::uint32_t leaving = 4711;

std::string bridge_name(int number) { return "net" + std::to_string(number); }

std::string tap_name(int bridge, int number) {
  return "t" + std::to_string(bridge) + "-" + std::to_string(number);
}

int index_of(const std::string& name) { return static_cast<int>(if_nametoindex(name.c_str())); }

wire::Bytes new_link(const std::string& name, const char* kind) {
  wire::MessageBuilder message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  ifinfomsg header{};
  header.ifi_flags = IFF_UP;
  header.ifi_change = IFF_UP;
  message.header(header).string(IFLA_IFNAME, name);
  message.nest(IFLA_LINKINFO,
               [&](wire::MessageBuilder& info) { info.string(IFLA_INFO_KIND, kind); });
  return std::move(message).finish();
}

io::Descriptor attach(std::string_view name) {
  io::Descriptor tun(open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  ifreq request{};
  std::copy(name.begin(), name.end(), request.ifr_name);
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (ioctl(tun.get(), TUNSETIFF, &request) != 0) std::abort();
  return tun;
}

void make_tap(const std::string& name) {
  const io::Descriptor tun = attach(name);
  if (ioctl(tun.get(), TUNSETOWNER, 1000UL) != 0 || ioctl(tun.get(), TUNSETPERSIST, 1UL) != 0) {
    std::abort();
  }
}

wire::Bytes join(const std::string& tap, int master) {
  wire::MessageBuilder message(RTM_SETLINK, 0);
  ifinfomsg header{};
  header.ifi_flags = IFF_UP;
  header.ifi_change = IFF_UP;
  message.header(header).string(IFLA_IFNAME, tap);
  message.u32(IFLA_MASTER, static_cast<std::uint32_t>(master));
  return std::move(message).finish();
}

wire::Bytes leave(const std::string& tap) {
  wire::MessageBuilder message(RTM_SETLINK, 0);
  message.header(ifinfomsg{}).string(IFLA_IFNAME, tap).u32(IFLA_GROUP, leaving);
  return std::move(message).finish();
}

wire::Bytes remove_leaving() {
  wire::MessageBuilder message(RTM_DELLINK, 0);
  message.header(ifinfomsg{}).u32(IFLA_GROUP, leaving);
  return std::move(message).finish();
}

wire::Bytes remove_link(const std::string& name) {
  wire::MessageBuilder message(RTM_DELLINK, 0);
  message.header(ifinfomsg{}).string(IFLA_IFNAME, name);
  return std::move(message).finish();
}

template <class Header>
wire::Bytes question(std::uint16_t type, const Header& header) {
  wire::MessageBuilder message(type, 0);
  message.header(header);
  return std::move(message).finish();
}

}  // namespace

void make_uplink() {
  io::NetlinkSocket socket(NETLINK_ROUTE);
  const auto send = [&](const wire::Bytes& message) {
    if (socket.change({&message}).front().error != 0) std::abort();
  };
  send(new_link("up0", "bridge"));
  const int index = index_of("up0");
  ifaddrmsg address{};
  address.ifa_family = AF_INET;
  address.ifa_prefixlen = 24;
  address.ifa_index = static_cast<std::uint32_t>(index);
  const auto own = IpAddress::parse("192.0.2.1");
  wire::MessageBuilder addressing(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
  send(std::move(addressing.header(address).bytes(IFA_LOCAL, own->bytes())).finish());
  ndmsg neighbour{};
  neighbour.ndm_family = AF_INET;
  neighbour.ndm_ifindex = index;
  neighbour.ndm_state = NUD_PERMANENT;
  const auto mac = Mac::parse("02:00:00:00:99:01");
  wire::MessageBuilder knowing(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL);
  knowing.header(neighbour).bytes(NDA_DST, beyond_uplink().bytes());
  send(std::move(knowing.bytes(NDA_LLADDR, mac->bytes())).finish());
}

std::uint64_t forwarded() {
  std::ifstream in("/proc/thread-self/net/snmp");
  std::string word;
  std::uint64_t number = 0;
  std::getline(in, word);  // the names: the sixth is ForwDatagrams
  in >> word;
  for (int i = 0; i < 6; ++i) in >> number;
  return number;
}

IpAddress beyond_uplink() { return IpAddress::parse("192.0.2.2").value(); }

RawTaps::RawTaps() : socket_(NETLINK_ROUTE) {}

void RawTaps::send(const std::vector<wire::Bytes>& messages) {
  io::Messages together;
  for (const wire::Bytes& message : messages) together.push_back(&message);
  for (const wire::Reply& reply : socket_.change(together)) {
    if (reply.error != 0) std::abort();
  }
}

void RawTaps::make(int bridges, int taps_each) {
  std::vector<wire::Bytes> messages;
  for (int bridge = 0; bridge < bridges; ++bridge) {
    messages.push_back(new_link(bridge_name(bridge), "bridge"));
  }
  send(messages);
  messages.clear();
  for (int bridge = 0; bridge < bridges; ++bridge) {
    const int master = index_of(bridge_name(bridge));
    for (int tap = 0; tap < taps_each; ++tap) {
      make_tap(tap_name(bridge, tap));
      messages.push_back(join(tap_name(bridge, tap), master));
    }
  }
  send(messages);
}

void RawTaps::remove(int bridges, int taps_each) {
  constexpr int at_once = 128;
  std::vector<wire::Bytes> messages;
  for (int bridge = 0; bridge < bridges; ++bridge) {
    for (int tap = 0; tap < taps_each; ++tap) {
      messages.push_back(leave(tap_name(bridge, tap)));
      if (tap % at_once == at_once - 1 || tap + 1 == taps_each) {
        messages.push_back(remove_leaving());
      }
    }
    messages.push_back(remove_link(bridge_name(bridge)));
  }
  send(messages);
}

void RawTaps::dump() {
  wire::MessageBuilder links(RTM_GETLINK, 0);
  links.header(ifinfomsg{}).u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  for (const wire::Bytes& asked :
       {std::move(links).finish(), question(RTM_GETQDISC, tcmsg{}),
        question(RTM_GETADDR, ifaddrmsg{}), question(RTM_GETROUTE, rtmsg{}),
        question(RTM_GETRULE, rtmsg{})}) {
    if (socket_.dump(asked).error != 0) std::abort();
  }
}

GuestPort::GuestPort(const spec::AssignedInterface& self) : tap_(attach(self.tap.view())) {
  const auto put = [&](std::size_t at, std::span<const std::byte> bytes) {
    std::memcpy(frame_.data() + at, bytes.data(), bytes.size());
  };
  put(6, self.mac.bytes());
  frame_[12] = 8;  // IPv4
  frame_[14] = 0x45;
  frame_[17] = 50;
  frame_[22] = 64;
  frame_[23] = IPPROTO_UDP;
  put(26, self.ip.bytes());
  frame_[35] = 7;  // ports, and the length of UDP
  frame_[37] = 7;
  frame_[39] = 30;
}

void GuestPort::send(const Mac& next, const IpAddress& to) {
  std::memcpy(frame_.data(), next.bytes().data(), next.bytes().size());
  std::memcpy(frame_.data() + 30, to.bytes().data(), to.bytes().size());
  frame_[24] = frame_[25] = 0;
  unsigned sum = 0;
  for (std::size_t at = 14; at < 34; at += 2) sum += frame_[at] << 8U | frame_[at + 1];
  sum = (sum & 0xffffU) + (sum >> 16U);
  sum = ~(sum + (sum >> 16U));
  frame_[24] = static_cast<unsigned char>(sum >> 8U);
  frame_[25] = static_cast<unsigned char>(sum);
  if (write(tap_.get(), frame_.data(), frame_.size()) < 0) std::abort();
}

}  // namespace plumbline::bench
