#include "ownership.hpp"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

namespace plumbline {

namespace {

bool is_automatic_value(const Address& address) {
  const bool by_kernel =
      address.protocol != IFAPROT_UNSPEC && address.protocol <= IFAPROT_KERNEL_LL;
  // Without IFA_PROTO (before Linux 5.18) a link-local address of the kernel's looks like any.
  return by_kernel || !address.permanent ||
         (address.protocol == IFAPROT_UNSPEC && is_link_local(address.local.address));
}

bool is_automatic_value(const Route& route) {
  return route.protocol == RTPROT_REDIRECT || route.protocol == RTPROT_KERNEL ||
         route.protocol == RTPROT_RA;
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
