#include "tests/support/world.hpp"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>

#include "plumbline/engine/ledger_file.hpp"
#include "plumbline/spec/assignments.hpp"
#include "tests/support/tables.hpp"

namespace plumbline::test {

namespace {

/// Of every wire: that of the host, and that of everybody else.
const Mac host_mac = "02:00:00:00:99:02"_mac;
const Mac remote_mac = "02:00:00:00:99:01"_mac;

std::string network_of(int network) { return "10." + std::to_string(network) + ".0."; }

std::string bridge_of(int network) {
  return network == 30 ? std::string("br0") : "br" + std::to_string(network);
}

}  // namespace

GuestIdentity guest_identity(char name, int network) {
  const int number = 10 + name - 'a';
  const std::string text = "02:00:00:00:" + std::to_string(network) + ":" + std::to_string(number);
  return {std::string(1, name),
          (network == 30 ? std::string("tap") : "tap" + std::to_string(network)) + name,
          Mac::parse(text).value(),
          IpAddress::parse(network_of(network) + std::to_string(number)).value()};
}

Mac bridge_mac_of(int number) {
  spec::Network network;
  network.bridge = IfName::parse(bridge_of(number)).value();
  return spec::bridge_mac(network);
}

std::string network_entry(const std::string& members, int network, const std::string& guests) {
  std::string vms;
  for (const char name : guests) {
    const GuestIdentity guest = guest_identity(name, network);
    vms += std::string(vms.empty() ? "" : ", ") + "\"" + guest.vm +
           R"(": {"interfaces": {"eth0": {"ip": ")" + format(guest.ip) + R"(", "mac": ")" +
           format(guest.mac) + R"(", "tap": ")" + guest.tap + "\"}}}";
  }
  return "\"" + bridge_of(network) + R"(": {"subnet": ")" + network_of(network) + R"(0/24", )" +
         members + (members.empty() ? "" : ", ") + "\"vms\": {" + vms + "}}";
}

std::string spec_of_networks(const std::vector<std::string>& entries) {
  std::string list;
  for (const std::string& entry : entries) list += (list.empty() ? "" : ",\n") + entry;
  return "{\"version\": 1, \"networks\": {" + list + "}}";
}

std::string network_spec(const std::string& members) {
  return spec_of_networks({network_entry(members)});
}

// ---- wire ---------------------------------------------------------------------------------------

Wire::Wire(const std::string& name, const std::string& address, const IpAddress& remote)
    : far_(io::NetworkNamespace::make_scratch()) {
  const std::string far_end = "far-" + name;
  ip("link add " + name + " address " + format(host_mac) + " type veth peer name " + far_end +
     " address " + format(remote_mac) + " netns /proc/" + std::to_string(getpid()) + "/fd/" +
     std::to_string(far_.get()));
  far_.run([&] {
    ip("link set " + far_end + " up");
    station_.emplace(open_packet_socket(far_end),
                     Manner{.mac = remote_mac, .ip = remote, .is_everybody = true, .echoes = true});
    station_->use_gateway(host_mac);
  });
  ip("link set " + name + " up");
  ip("address add " + address + " dev " + name);
}

// ---- world --------------------------------------------------------------------------------------

void World::SetUp() {
  NetnsTest::SetUp();
  if (IsSkipped()) return;
  if (const std::string why_not = why_no_iptables(io::Backend::nft); !why_not.empty()) {
    GTEST_SKIP() << why_not;
  }
  if (access("/dev/net/tun", R_OK | W_OK) != 0) GTEST_SKIP() << "there is no /dev/net/tun";
  bring_up_loopback();
  uplink_.emplace("up0", "192.0.2.10/24", remote_ip);
  ip("route add default via 192.0.2.1 dev up0");
  std::string home = std::filesystem::temp_directory_path() / "plumbline-world-XXXXXX";
  if (mkdtemp(home.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  home_ = home;
  restart();
}

void World::TearDown() {
  if (uplink_) {
    EXPECT_EQ(internet().overrun(), 0U) << "the sniffer did not see everything";
    std::filesystem::remove_all(engine::state_directory());
    std::filesystem::remove_all(home_);
  }
  tunnel_.reset();
  NetnsTest::TearDown();
}

Station& World::local() {
  if (!local_) local_.emplace("lan0", "10.50.0.1/24", neighbour_ip);
  return local_->station();
}

Station& World::tunnel() {
  if (!tunnel_) {
    tunnel_.emplace(
        make_tun("tun9"),
        Manner{.layer = Layer::ip, .ip = remote_ip, .is_everybody = true, .echoes = true});
    ip("link set tun9 mtu 1280");
    ip("address add 10.99.0.2/32 dev tun9");
  }
  return *tunnel_;
}

void World::remove_tunnel() { tunnel_.reset(); }

std::unique_ptr<Station> World::attached(char name, int network) {
  const GuestIdentity identity = guest_identity(name, network);
  auto station = std::make_unique<Station>(open_tap(identity.tap),
                                           Manner{.mac = identity.mac, .ip = identity.ip});
  station->use_gateway(bridge_mac_of(network));
  return station;
}

std::unique_ptr<Station> World::guest(char name, int network) {
  auto station = attached(name, network);
  station->learn_gateway(IpAddress::parse(network_of(network) + "1").value());
  return station;
}

void World::remove_all() {
  site().options.allow_empty = true;
  site().apply(R"({"version": 1})");
}

void World::expect_only_allowed(Stream& stream) {
  stream.stop();
  EXPECT_GE(stream.per_second(), 1000);
  internet().settle();
  EXPECT_GT(internet().count({.from = uplink_ip, .to_port = allowed_port}), 0U);
  EXPECT_EQ(internet().count({.to_port = denied_port}), 0U);
  expect_nothing_in_clear();
}

void World::expect_nothing_in_clear() {
  for (const char name : {'a', 'b'}) {
    EXPECT_EQ(internet().count({.from = guest_identity(name).ip}), 0U) << name;
  }
}

int World::host_pings(const IpAddress& to) {
  const io::Descriptor socket(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
  const timeval longest{2, 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  std::memcpy(&address.sin_addr, to.bytes().data(), sizeof address.sin_addr);
  int answered = 0;
  for (std::uint16_t i = 1; i <= 3; ++i) {
    const Packet request{.carries = Carries::icmp, .to_port = i, .type = icmp_echo};
    const std::string bytes = bytes_of(request, Layer::ip).substr(20);
    sendto(socket.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&address),
           sizeof address);
    std::array<char, 2048> buffer;
    while (true) {
      const ssize_t size = recv(socket.get(), buffer.data(), buffer.size(), 0);
      if (size <= 0) break;
      const auto packet = parse({buffer.data(), static_cast<std::size_t>(size)}, Layer::ip);
      const Like reply{.from = to, .to_port = i, .type = icmp_echo_reply};
      if (packet && reply.matches(*packet)) {
        ++answered;
        break;
      }
    }
  }
  return answered;
}

void World::sysctl(const std::string& name, const std::string& value) {
  std::ofstream file("/proc/sys/" + name);
  file << value << std::flush;
  if (!file) throw std::runtime_error(name + " cannot be set to " + value);
}

std::string World::sysctl(const std::string& name) {
  std::string value;
  std::getline(std::ifstream("/proc/sys/" + name), value);
  return value;
}

}  // namespace plumbline::test
