// The settings of a link that somebody else's link may have from us, one after the other.

#pragma once

#include "plumbline/kinds/link.hpp"

namespace plumbline::memory {

/// Calls `visit` with each, but for those of a bridge port.
template <class Visit>
void for_each_setting(Visit&& visit) {
  visit(&Link::up);
  visit(&Link::mtu);
  visit(&Link::mac);
  visit(&Link::master);
  visit(&Link::tx_queue_length);
  visit(&Link::alias);
}

template <class Visit>
void for_each_port_setting(Visit&& visit) {
  visit(&PortSettings::isolated);
  visit(&PortSettings::learning);
  visit(&PortSettings::hairpin);
  visit(&PortSettings::cost);
  visit(&PortSettings::priority);
  visit(&PortSettings::group_fwd_mask);
}

/// Takes over from `other` what is open.
inline void fall_back(PortSettings& port, const PortSettings& other) {
  for_each_port_setting([&](auto setting) {
    if (!(port.*setting)) port.*setting = other.*setting;
  });
}

}  // namespace plumbline::memory
