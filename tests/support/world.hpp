// A VM host, and what is around it: its uplink and the internet behind, a local network, a tunnel,
// and guests. plumbline makes the network of the guests.
//
// The host is the test's network namespace. The internet is a station in another one, which answers
// for every address and counts what comes by: all that leaves by the uplink. A tunnel is a stand-in
// without any cryptography, made before plumbline comes and named as `existingInterface`.

#pragma once

#include <optional>
#include <string>

#include "plumbline/io/namespace.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/site.hpp"
#include "tests/support/station.hpp"
#include "tests/support/stream.hpp"

namespace plumbline::test {

/// The rules of `deny_but_one` let packets to the first pass.
inline constexpr std::uint16_t allowed_port = 7001;
inline constexpr std::uint16_t denied_port = 7002;

/// Of the host.
inline const IpAddress uplink_ip = "192.0.2.10"_ip;
inline const IpAddress gateway_ip = "10.30.0.1"_ip;
inline const IpAddress local_ip = "10.50.0.1"_ip;
inline const IpAddress tunnel_ip = "10.99.0.2"_ip;
/// Of others. The internet has every address; these are the ones that are used.
inline const IpAddress remote_ip = "203.0.113.7"_ip;
inline const IpAddress neighbour_ip = "10.50.0.9"_ip;

/// Members of a network.
inline constexpr const char* deny_but_one = R"("firewall": {"egress": {"defaultAction": "deny",
    "rules": [{"action": "allow", "protocol": "udp", "ports": 7001}]}})";
inline constexpr const char* through_tunnel = R"("wireguard": {"existingInterface": "tun9"})";

/// What is known of a guest from the start.
struct GuestIdentity {
  std::string vm;
  std::string tap;
  Mac mac;
  IpAddress ip;
};
/// `a` is 10.30.0.10 behind `tapa`, `b` 10.30.0.11 behind `tapb`, and so on.
[[nodiscard]] GuestIdentity guest_identity(char name, int network = 30);

/// Of the bridge that plumbline makes.
[[nodiscard]] Mac bridge_mac_of(int network = 30);

/// `"br0": {…}` of 10.30.0.0/24 with the members and guests `a` and `b`; of another number
/// likewise, with the guests given.
[[nodiscard]] std::string network_entry(const std::string& members, int network = 30,
                                        const std::string& guests = "ab");
/// A whole spec with that network.
[[nodiscard]] std::string network_spec(const std::string& members);
[[nodiscard]] std::string spec_of_networks(const std::vector<std::string>& entries);

/// An interface of the host with the station at its other end, which is everybody.
class Wire {
 public:
  /// `up0`, `192.0.2.10/24`, and who the other end is when it says something of its own.
  Wire(const std::string& name, const std::string& address, const IpAddress& remote);

  [[nodiscard]] Station& station() { return *station_; }
  [[nodiscard]] const io::NetworkNamespace& far_side() const { return far_; }

 private:
  io::NetworkNamespace far_;
  std::optional<Station> station_;
};

class World : public NetnsTest {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// Everything that leaves by the uplink ends here.
  [[nodiscard]] Station& internet() { return uplink_->station(); }
  /// Makes a local network, 10.50.0.0/24 behind `lan0`, when first asked.
  Station& local();
  /// Makes the tunnel `tun9`, as 10.99.0.2, MTU 1280, when first asked or when it was taken away.
  Station& tunnel();
  void remove_tunnel();
  /// Attaches to the guest's TAP, at once or when its port carries packets.
  [[nodiscard]] static std::unique_ptr<Station> attached(char name, int network = 30);
  [[nodiscard]] static std::unique_ptr<Station> guest(char name, int network = 30);

  [[nodiscard]] Site& site() { return *site_; }
  /// As a new process would be.
  void restart() { site_.emplace(home_); }
  void apply(const std::string& members) { site().apply(network_spec(members)); }
  /// Removes everything that is ours.
  void remove_all();

  /// A stream of packets to the allowed port and the denied one, both of the same remote.
  [[nodiscard]] Stream both_ports(const Station& from) const {
    return {from, {from.udp(remote_ip, allowed_port), from.udp(remote_ip, denied_port)}};
  }
  /// Ends the stream, which was fast enough, and says that on the uplink the allowed packets came
  /// by, with the host's address, and no denied one.
  void expect_only_allowed(Stream& stream);
  /// Nobody's own address came by on the uplink.
  void expect_nothing_in_clear();

  /// How many of three echo requests of the host were answered.
  [[nodiscard]] static int host_pings(const IpAddress& to);

  static void sysctl(const std::string& name, const std::string& value);
  [[nodiscard]] static std::string sysctl(const std::string& name);

 private:
  std::optional<Wire> uplink_;
  std::optional<Wire> local_;
  std::optional<Station> tunnel_;
  std::optional<Site> site_;
  std::filesystem::path home_;
};

}  // namespace plumbline::test
