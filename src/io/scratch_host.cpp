#include "plumbline/io/scratch_host.hpp"

#include <linux/netlink.h>

#include <array>
#include <cerrno>

#include "nft_tables.hpp"
#include "plumbline/io/files.hpp"

namespace plumbline::io {

namespace {

/// The programs, and where they look up names that a rule may have in place of numbers: as seen
/// with strace(1) of iptables 1.8.9 and its extensions.
constexpr std::array files_of_iptables{
    "/usr/sbin/xtables-nft-multi",
    "/usr/sbin/xtables-legacy-multi",
    "/usr/sbin/iptables",
    "/etc/nsswitch.conf",           // which of the files below count
    "/etc/services",                // ports
    "/etc/protocols",               // -p, and `ipvs`
    "/etc/passwd",                  // `owner`
    "/etc/group",                   // `owner`
    "/etc/networks",                // -s and -d
    "/etc/ethertypes",              // -p of ebtables
    "/etc/iproute2/group",          // `devgroup`
    "/etc/iproute2/rt_realms",      // `realm`
    "/etc/xtables/connlabel.conf",  // `connlabel`
};

}  // namespace

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
  std::string text;
  for (const char* const file : files_of_iptables) {
    text += file_identity(file) + "\n";
  }
  return text;
}

void ScratchHost::reset() { iptables_.wipe(); }

}  // namespace plumbline::io
