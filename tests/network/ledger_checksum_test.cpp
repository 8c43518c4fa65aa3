// Rows of the ledger on what a guest leaves to be written into its packets.

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstring>

#include "tests/network/ledger.hpp"

namespace plumbline::test {
namespace {

/// virtio_net_hdr of linux/virtio_net.h, which is no C++.
struct VirtioHeader {
  std::uint8_t flags = 1;  // VIRTIO_NET_HDR_F_NEEDS_CSUM
  std::uint8_t gso_type = 0;
  std::array<std::uint16_t, 2> of_segments{};
  std::uint16_t checksum_start = 0;
  std::uint16_t checksum_offset = 0;
};

/// Of the frames sent here: where the header of what IP carries begins, and its first fields.
constexpr std::size_t transport = 34;
constexpr std::size_t of_destination_port = 2;
constexpr std::size_t of_udp_checksum = 6;
constexpr std::size_t of_udp_data = 8;
constexpr std::size_t of_icmp_type = 0;
constexpr std::size_t of_icmp_data = 8;

std::uint16_t word(const std::string& bytes, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes.at(i)); };
  return static_cast<std::uint16_t>(byte(at) << 8U | byte(at + 1));
}

void put_word(std::string& bytes, std::size_t at, std::uint16_t value) {
  bytes.at(at) = static_cast<char>(value >> 8U);
  bytes.at(at + 1) = static_cast<char>(value & 0xffU);
}

/// RFC 1071, of an even number of bytes.
std::uint16_t sum_from(const std::string& bytes, std::size_t start) {
  std::uint32_t sum = 0;
  for (std::size_t at = start; at + 1 < bytes.size(); at += 2) sum += word(bytes, at);
  while (sum > 0xffffU) sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<std::uint16_t>(sum);
}

class LedgerChecksum : public Ledger {
 protected:
  void SetUp() override {
    World::SetUp();
    if (IsSkipped()) return;
    static_cast<void>(tunnel());  // whose device writes checksums, as that of `up0` does not
    ip("route replace default dev tun9");
  }

  /// Guest `a` behind a TAP that says of each frame what is to be written into it.
  static io::Descriptor with_headers() {
    io::Descriptor tun(open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
    ifreq request{};
    std::strcpy(request.ifr_name, "tapa");
    request.ifr_flags = static_cast<short>(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
    EXPECT_EQ(ioctl(tun.get(), TUNSETIFF, &request), 0);
    return tun;
  }

  static std::string frame_of(Packet packet) {
    const GuestIdentity a = guest_identity('a');
    packet.from_mac = a.mac;
    packet.to_mac = bridge_mac_of();
    packet.from = a.ip;
    packet.to = remote_ip;
    packet.from_port = 40000;
    packet.size = 4;
    return bytes_of(packet, Layer::ethernet);
  }

  /// A frame into which `value` is to be written at that place of its transport header.
  struct Incomplete {
    std::string frame;
    std::uint16_t offset = 0;
  };
  static Incomplete becoming(std::string frame, std::size_t place, std::size_t data,
                             std::uint16_t value) {
    put_word(frame, transport + data, 0);
    const auto others = sum_from(frame, transport);
    const auto wanted = static_cast<std::uint32_t>(static_cast<std::uint16_t>(~value));
    const std::uint32_t rest = (wanted + 0xffffU - others) % 0xffffU;
    put_word(frame, transport + data, static_cast<std::uint16_t>(rest));
    EXPECT_EQ(static_cast<std::uint16_t>(~sum_from(frame, transport)), value);
    return {std::move(frame), static_cast<std::uint16_t>(place)};
  }

  static void send(const io::Descriptor& tap, const Incomplete& what, int times = 1000) {
    VirtioHeader header;
    header.checksum_start = transport;
    header.checksum_offset = what.offset;
    std::string bytes(sizeof header, '\0');
    std::memcpy(bytes.data(), &header, sizeof header);
    bytes += what.frame;
    for (int i = 0; i < times; ++i) {
      EXPECT_EQ(write(tap.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    }
  }

  /// Until frames of the TAP that was opened are forwarded.
  void await_way(const io::Descriptor& tap, const Incomplete& allowed, const Like& like) {
    for (int i = 0; i < 500 && tunnel().count(like) == 0; ++i) {
      send(tap, allowed, 1);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ASSERT_GT(tunnel().count(like), 0U);
  }
};

TEST_F(LedgerChecksum, N15_APortIsTheOneThatWasJudged) {
  apply(deny_but_one);
  const io::Descriptor tap = with_headers();
  Packet udp{.carries = Carries::udp, .to_port = allowed_port};
  std::string allowed = frame_of(udp);
  put_word(allowed, transport + of_udp_checksum, 0);
  const Incomplete honest{allowed, of_udp_checksum};
  const Incomplete other = becoming(allowed, of_destination_port, of_udp_data, denied_port);
  await_way(tap, honest, {.to_port = allowed_port});
  for (const bool guarded : {true, false}) {
    if (!guarded) must_run({"iptables-nft", "-t", "mangle", "-F", "FORWARD"});
    tunnel().settle();
    tunnel().forget();
    send(tap, other);
    send(tap, honest);
    tunnel().settle();
    EXPECT_GT(tunnel().count({.to_port = allowed_port}), 500U);
    EXPECT_EQ(tunnel().count({.to_port = denied_port}) == 0, guarded);
  }
}

/// What goes out as an echo comes by as an error about whatever it carries.
TEST_F(LedgerChecksum, N15_AnEchoDoesNotBecomeAnError) {
  apply("");
  const io::Descriptor tap = with_headers();
  const std::string echo = frame_of({.carries = Carries::icmp, .type = icmp_echo});
  const Incomplete honest{echo, 2};
  const Incomplete error = becoming(echo, of_icmp_type, of_icmp_data, icmp_unreachable << 8U | 1U);
  await_way(tap, honest, {.carries = Carries::icmp, .type = icmp_echo});
  for (const bool guarded : {true, false}) {
    if (!guarded) must_run({"iptables-nft", "-t", "mangle", "-F", "FORWARD"});
    tunnel().settle();
    tunnel().forget();
    send(tap, error);
    tunnel().settle();
    EXPECT_EQ(tunnel().count({.carries = Carries::icmp, .type = icmp_unreachable}) == 0, guarded);
  }
}

}  // namespace
}  // namespace plumbline::test
