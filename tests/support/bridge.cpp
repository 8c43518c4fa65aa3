#include "tests/support/bridge.hpp"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "tests/support/netns.hpp"

namespace plumbline::test {

namespace {

/// Of the frame that ends a wait; another of local experiments.
constexpr std::uint16_t last_protocol = 0x88b6;

constexpr std::size_t frame_size = 60;  ///< the smallest there is
constexpr std::size_t packet_size = frame_size - sizeof(ether_header);

int packet_socket(const char* link) {
  const int socket = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(if_nametoindex(link));
  if (socket < 0 || bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw std::system_error(errno, std::generic_category(), "a packet socket");
  }
  return socket;
}

std::string bytes_of(const Frame& frame) {
  ether_header header{};
  const auto address = [](const std::string& text, std::uint8_t* into) {
    const ether_addr* const parsed = ether_aton(text.c_str());
    if (parsed == nullptr) throw std::runtime_error("no address: " + text);
    std::memcpy(into, parsed, sizeof *parsed);
  };
  address(frame.destination, header.ether_dhost);
  address(frame.source, header.ether_shost);
  header.ether_type = htons(frame.protocol);
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  bytes += frame.payload;
  if (bytes.size() < frame_size) bytes.resize(frame_size);
  return bytes;
}

}  // namespace

std::string ipv4_from(std::string_view source) {
  iphdr header{};
  header.version = 4;
  header.ihl = 5;
  header.ttl = 64;
  header.protocol = IPPROTO_UDP;
  // br_netfilter cuts off what fills a frame up, too.
  header.tot_len = htons(packet_size);
  header.daddr = htonl(0xc0000202);
  if (inet_pton(AF_INET, std::string(source).c_str(), &header.saddr) != 1) {
    throw std::runtime_error("no address");
  }
  // br_netfilter drops a header whose words do not add up to ones (RFC 1071).
  std::array<std::uint16_t, sizeof header / 2> words{};
  std::memcpy(words.data(), &header, sizeof header);
  std::uint32_t sum = 0;
  for (const std::uint16_t word : words) sum += word;
  sum = (sum & 0xffff) + (sum >> 16);
  header.check = static_cast<std::uint16_t>(~((sum & 0xffff) + (sum >> 16)));
  std::string packet(reinterpret_cast<const char*>(&header), sizeof header);
  packet.resize(packet_size);
  return packet;
}

Bridge::Bridge() {
  ip("link add br0 type bridge mcast_snooping 0");
  for (const std::string number : {"0", "1"}) {
    ip("link add port" + number + " type veth peer name end" + number);
    ip("link set port" + number + " master br0 up");
    ip("link set end" + number + " up");
  }
  ip("link set br0 up");
  from_ = packet_socket("end0");
  to_ = packet_socket("end1");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (!passes({})) {  // until both ports forward
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("no bridge");
  }
}

Bridge::~Bridge() {
  close(from_);
  close(to_);
}

void Bridge::send(const std::string& bytes) const {
  if (::send(from_, bytes.data(), bytes.size(), 0) < 0) {
    throw std::system_error(errno, std::generic_category(), "send");
  }
}

bool Bridge::passes(const Frame& frame) {
  const std::string sent = bytes_of(frame);
  Frame last;
  last.protocol = last_protocol;
  const std::string end = bytes_of(last);
  send(sent);
  send(end);
  bool arrived = false;
  pollfd waiting{to_, POLLIN, 0};
  while (poll(&waiting, 1, 200) > 0) {
    std::array<char, 2048> buffer{};
    const ssize_t size = recv(to_, buffer.data(), buffer.size(), 0);
    const std::string_view got(buffer.data(), size < 0 ? 0 : static_cast<std::size_t>(size));
    if (got == sent) arrived = true;
    if (got == end) break;
  }
  return arrived;
}

}  // namespace plumbline::test
