/**
 * System calls older than the profile that it refuses unless a capability opens them: EPERM tells a program that it may not, where
 * ENOSYS would tell it that the kernel cannot. A new call belongs in `allowed-syscalls.ts` or here, once it has been looked at.
 */
export const KNOWN_AND_REFUSED: readonly string[] = `
  _sysctl acct add_key afs_syscall arch_prctl bdflush bpf chroot clock_settime clock_settime64 create_module
  delete_module fanotify_init finit_module fsconfig fsmount fsopen fspick get_kernel_syms get_mempolicy getpmsg
  init_module io_uring_enter io_uring_register io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load keyctl
  lookup_dcookie mbind migrate_pages modify_ldt mount mount_setattr move_mount move_pages nfsservctl nice
  oldfstat oldlstat oldolduname oldstat olduname open_by_handle_at open_tree perf_event_open pidfd_getfd
  pivot_root process_madvise process_vm_readv process_vm_writev ptrace putpmsg query_module quotactl quotactl_fd
  reboot request_key security set_mempolicy set_mempolicy_home_node setdomainname sethostname setns settimeofday
  sgetmask sigaction signal sigpending sigsuspend ssetmask stime swapoff swapon sysfs syslog tuxcall umount
  umount2 unshare uselib userfaultfd ustat vhangup vm86 vm86old vserver
`
  .trim()
  .split(/\s+/);
