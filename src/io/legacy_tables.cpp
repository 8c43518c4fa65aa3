#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <sstream>

#include "plumbline/firewall/bytes/iptables_tables.hpp"
#include "plumbline/io/descriptor.hpp"
#include "plumbline/io/held_tables.hpp"
#include "plumbline/io/host.hpp"

namespace plumbline::io {

namespace {

struct Ipv4 {
  static constexpr int domain = AF_INET;
  static constexpr int level = IPPROTO_IP;
  static constexpr const char* names = "/proc/thread-self/net/ip_tables_names";
  using Entry = ipt_entry;
  using Entries = ipt_get_entries;
};

struct Ipv6 {
  static constexpr int domain = AF_INET6;
  static constexpr int level = IPPROTO_IPV6;
  static constexpr const char* names = "/proc/thread-self/net/ip6_tables_names";
  using Entry = ip6t_entry;
  using Entries = ip6t_get_entries;
};

// Both families have the same numbers and the same description of a table.
static_assert(IPT_SO_GET_INFO == IP6T_SO_GET_INFO && IPT_SO_GET_ENTRIES == IP6T_SO_GET_ENTRIES);
static_assert(sizeof(ipt_getinfo) == sizeof(ip6t_getinfo));

constexpr int attempts = 5;

/// One a line; nothing where there is no legacy iptables in the kernel.
std::string table_names(const char* path) {
  const Descriptor file(open(path, O_RDONLY | O_CLOEXEC));
  if (!file) {
    if (errno == ENOENT) return {};
    give_up("cannot read the names of the iptables tables", errno);
  }
  std::array<char, 4096> buffer{};
  ssize_t size = -1;
  do {
    size = read(file.get(), buffer.data(), buffer.size());
  } while (size < 0 && errno == EINTR);
  if (size < 0) give_up("cannot read the names of the iptables tables", errno);
  return {buffer.data(), static_cast<std::size_t>(size)};
}

template <class T>
T copied(std::span<const std::byte> bytes, std::size_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) {
    throw HostError("the kernel's iptables table is not what it says");
  }
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

/// Its rules one after the other, as the kernel keeps them; else an errno: ENOENT when the table is
/// gone, EAGAIN when it changed meanwhile.
template <class Ip>
int read_entries(const Descriptor& socket, ipt_getinfo& about, std::vector<std::byte>& answer) {
  socklen_t length = sizeof about;
  // Loads a module for a table that is not there: only for those that are.
  if (getsockopt(socket.get(), Ip::level, IPT_SO_GET_INFO, &about, &length) != 0) {
    return errno;
  }
  using Entries = typename Ip::Entries;
  constexpr std::size_t header = offsetof(Entries, entrytable);
  answer.assign(header + about.size, std::byte{0});
  std::memcpy(answer.data() + offsetof(Entries, name), about.name, sizeof about.name);
  std::memcpy(answer.data() + offsetof(Entries, size), &about.size, sizeof about.size);
  length = static_cast<socklen_t>(answer.size());
  if (getsockopt(socket.get(), Ip::level, IPT_SO_GET_ENTRIES, answer.data(), &length) != 0) {
    return errno;
  }
  answer.erase(answer.begin(), answer.begin() + static_cast<std::ptrdiff_t>(header));
  return 0;
}

/// A chain of a user is an entry with the target ERROR, its rules, and an entry that returns; a
/// built-in chain ends in its policy; after all of them comes one more ERROR (translate_table() in
/// net/ipv4/netfilter/ip_tables.c).
template <class Ip>
void count(HeldTable& table, const ipt_getinfo& about, std::span<const std::byte> entries) {
  std::size_t errors = 0;
  for (std::size_t at = 0; at < entries.size();) {
    const auto entry = copied<typename Ip::Entry>(entries, at);
    const auto target = copied<xt_entry_target>(entries, at + entry.target_offset);
    if (std::string_view(target.u.user.name) == XT_ERROR_TARGET) ++errors;
    if (entry.next_offset == 0) throw HostError("the kernel's iptables table is not what it says");
    at += entry.next_offset;
  }
  for (unsigned hook = 0; hook < NF_INET_NUMHOOKS; ++hook) {
    if ((about.valid_hooks >> hook & 1U) == 0) continue;
    const auto policy = copied<typename Ip::Entry>(entries, about.underflow[hook]);
    const auto target =
        copied<xt_standard_target>(entries, about.underflow[hook] + policy.target_offset);
    if (target.verdict != -NF_ACCEPT - 1) ++table.policies;
  }
  table.hooks = static_cast<std::size_t>(std::popcount(about.valid_hooks));
  table.chains = errors == 0 ? 0 : errors - 1;
  const std::size_t no_rules = table.hooks + 2 * table.chains + 1;
  table.rules = about.num_entries - std::min<std::size_t>(about.num_entries, no_rules);
}

template <class Ip>
std::vector<HeldTable> tables_of(Family family) {
  std::vector<HeldTable> tables;
  std::istringstream names(table_names(Ip::names));
  std::optional<Descriptor> socket;
  for (std::string name; std::getline(names, name);) {
    if (!socket) socket.emplace(::socket(Ip::domain, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!*socket) give_up("cannot open a socket", errno);
    ipt_getinfo about{};
    std::vector<std::byte> entries;
    int error = EAGAIN;
    for (int attempt = 0; attempt < attempts && error == EAGAIN; ++attempt) {
      about = {};
      name.copy(about.name, sizeof about.name - 1);
      error = read_entries<Ip>(*socket, about, entries);
    }
    if (error == ENOENT) continue;
    if (error != 0) give_up("cannot look into the legacy iptables tables", error);
    HeldTable table;
    table.family = firewall::nft_word(family);
    table.name = name;
    count<Ip>(table, about, entries);
    tables.push_back(std::move(table));
  }
  std::ranges::sort(tables, {}, &HeldTable::name);
  return tables;
}

}  // namespace

std::vector<HeldTable> legacy_tables(Family family) {
  switch (family) {
    case Family::inet:
      return tables_of<Ipv4>(family);
    case Family::inet6:
      return tables_of<Ipv6>(family);
    case Family::bridge:
      break;
  }
  return {};
}

}  // namespace plumbline::io
