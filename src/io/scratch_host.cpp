#include "plumbline/io/scratch_host.hpp"

#include <linux/netlink.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>

#include "nft_tables.hpp"

namespace plumbline::io {

ScratchHost::ScratchHost(Backend backend)
    : namespace_(NetworkNamespace::make_scratch()), iptables_(backend, &namespace_) {}

std::vector<wire::Reply> ScratchHost::exchange(std::span<const wire::Request> requests) {
  std::vector<wire::Reply> replies;
  replies.reserve(requests.size());
  for (const auto& request : requests) {
    if (const auto* dump = std::get_if<wire::FirewallDump>(&request)) {
      replies.push_back(iptables_.dump(dump->family));
    } else if (const auto* restore = std::get_if<wire::FirewallRestore>(&request)) {
      replies.push_back(iptables_.restore(restore->family, restore->text));
    } else if (const auto* drop = std::get_if<wire::FirewallDropTable>(&request)) {
      replies.push_back(iptables_.drop_table(drop->family, drop->table));
    } else if (const auto* query = std::get_if<wire::NetfilterQuery>(&request)) {
      replies.push_back(ask(nfnetlink(), *query));
    } else {
      replies.push_back({EOPNOTSUPP, "a scratch namespace holds only a firewall", {}, {}});
    }
  }
  return replies;
}

NetlinkSocket& ScratchHost::nfnetlink() {
  if (!nfnetlink_) namespace_.run([this] { nfnetlink_.emplace(NETLINK_NETFILTER); });
  return *nfnetlink_;
}

std::string ScratchHost::circumstances() const {
  constexpr std::array<const char*, 10> files{"/usr/sbin/xtables-nft-multi",
                                              "/usr/sbin/xtables-legacy-multi",
                                              "/usr/sbin/iptables",
                                              "/etc/services",
                                              "/etc/protocols",
                                              "/etc/passwd",
                                              "/etc/group",
                                              "/etc/networks",
                                              "/etc/ethertypes",
                                              "/etc/xtables/connlabel.conf"};
  std::string text;
  for (const char* const file : files) {
    struct stat found {};
    if (stat(file, &found) != 0) found = {};
    text += std::to_string(found.st_ino) + " " + std::to_string(found.st_size) + " " +
            std::to_string(found.st_mtim.tv_sec) + "." + std::to_string(found.st_mtim.tv_nsec) +
            "\n";
  }
  return text;
}

void ScratchHost::reset() { iptables_.wipe(); }

}  // namespace plumbline::io
