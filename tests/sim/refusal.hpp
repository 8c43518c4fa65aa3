// What the simulated kernel says when it does not do what it is asked.
//
// Thrown where the kernel would return: what a message has changed before that stays, as rtnetlink
// undoes nothing.

#pragma once

#include <string>

namespace plumbline::sim {

struct Refusal {
  int error;          ///< an errno
  std::string words;  ///< of the extended ack; often none
};

}  // namespace plumbline::sim
