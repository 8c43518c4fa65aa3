#include "ownership.hpp"

namespace plumbline {

namespace {

bool is_automatic_value(const Address& address) {
  constexpr std::uint8_t last_kernel_protocol = 3;  // IFAPROT_KERNEL_LL, linux/if_addr.h
  static const Prefix link_local = *Prefix::parse("fe80::/10");
  const bool by_kernel = address.protocol > 0 && address.protocol <= last_kernel_protocol;
  // Without IFA_PROTO (before Linux 5.18) a link-local address of the kernel's looks like any.
  return by_kernel || !address.permanent ||
         (address.protocol == 0 && link_local.contains(address.local.address));
}

bool is_automatic_value(const Route& route) {
  // RTPROT_REDIRECT, RTPROT_KERNEL, RTPROT_RA, linux/rtnetlink.h
  return route.protocol == 1 || route.protocol == 2 || route.protocol == 9;
}

template <class K>
bool is_automatic_value(const K&) {
  return false;
}

}  // namespace

bool is_automatic(const Resource& resource) {
  return std::visit([](const auto& value) { return is_automatic_value(value); }, resource);
}

}  // namespace plumbline
