#include "plumbline/io/kernel_host.hpp"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <iterator>

#include "generic_netlink.hpp"
#include "nft_tables.hpp"
#include "plumbline/io/descriptor.hpp"
#include "plumbline/io/namespace.hpp"
#include "sysctl_files.hpp"
#include "tap.hpp"

namespace plumbline::io {

namespace {

template <class... Visitors>
struct Overload : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overload(Visitors...) -> Overload<Visitors...>;

/// False in a kernel that was made without nfnetlink, in which there are no nf_tables either.
bool has_nfnetlink() {
  const Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  return socket || errno != EPROTONOSUPPORT;
}

/// Nothing, and the reason in `refusal`, when the namespace cannot be opened.
std::optional<NetworkNamespace> open_for_change(const std::string& netns, wire::Reply& refusal) {
  try {
    return NetworkNamespace::open(netns);
  } catch (const HostError& error) {
    refusal = {error.error == 0 ? ENOENT : error.error, error.what(), {}, {}};
    return std::nullopt;
  }
}

wire::Reply change(NetlinkSocket& socket, const wire::NamespaceChange& request) {
  wire::Reply refusal;
  const auto there = open_for_change(request.netns, refusal);
  if (!there) return refusal;
  const std::int32_t descriptor = there->get();
  wire::Bytes message = request.message;
  std::memcpy(&message.at(request.place), &descriptor, sizeof descriptor);
  return socket.change({&message}).front();
}

}  // namespace

KernelHost::KernelHost(Backend backend) : rtnetlink_(NETLINK_ROUTE), iptables_(backend) {}

wire::Reply KernelHost::carry_out(const wire::Request& request) {
  return std::visit(
      Overload{
          [&](const wire::NetlinkChange& it) { return rtnetlink_.change({&it.message}).front(); },
          [&](const wire::NamespaceChange& it) { return change(rtnetlink_, it); },
          [&](const wire::NetlinkDump& it) { return rtnetlink_.dump(it.message); },
          [&](const wire::TapChange& it) { return change_tap(rtnetlink_, it); },
          [&](const wire::SysctlRead& it) {
            return it.for_writing ? can_write_sysctl(it.path) : read_sysctl(it.path);
          },
          [&](const wire::SysctlWrite& it) { return write_sysctl(it.path, it.value); },
          [&](const wire::FirewallDump& it) { return iptables_.dump(it.family); },
          [&](const wire::FirewallRestore& it) { return iptables_.restore(it.family, it.text); },
          [&](const wire::FirewallDropTable& it) {
            // A legacy table stays as long as its kernel module.
            if (iptables_.backend_of(it.family) == Backend::legacy) return wire::Reply{};
            return drop_empty_table(nfnetlink(), it.family, it.table);
          },
          [&](const wire::NetfilterQuery& it) {
            if (nfnetlink_ || has_nfnetlink()) return ask(nfnetlink(), it);
            return wire::Reply{EPROTONOSUPPORT, {}, {}, {}};
          },
          [&](const wire::NetfilterChange& it) { return nfnetlink().transact(it.messages); },
          [&](const wire::NftBatch& it) { return commit(nfnetlink(), it); },
          [&](const wire::GenericDump& it) { return ask(generic(), it); },
          [&](const wire::GenericChange& it) { return change(generic(), it); },
          [&](const wire::FirewallRivals& it) {
            return wire::Reply{0, iptables_.rival_rules(it.family), {}, {}};
          },
      },
      request);
}

NetlinkSocket& KernelHost::nfnetlink() {
  if (!nfnetlink_) nfnetlink_.emplace(NETLINK_NETFILTER);
  return *nfnetlink_;
}

NetlinkSocket& KernelHost::generic() {
  if (!generic_) generic_.emplace(NETLINK_GENERIC);
  return *generic_;
}

std::vector<wire::Reply> KernelHost::exchange(std::span<const wire::Request> requests) {
  std::vector<wire::Reply> replies;
  replies.reserve(requests.size());
  Messages run;
  const auto send_run = [&] {
    auto answers = rtnetlink_.change(run);
    replies.insert(replies.end(), std::move_iterator(answers.begin()),
                   std::move_iterator(answers.end()));
    run.clear();
  };
  for (const auto& request : requests) {
    if (const auto* change = std::get_if<wire::NetlinkChange>(&request)) {
      run.push_back(&change->message);
      continue;
    }
    send_run();
    replies.push_back(carry_out(request));
  }
  send_run();
  return replies;
}

}  // namespace plumbline::io
