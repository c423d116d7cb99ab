<?php
// Makes the site, unless there is one.
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = parse_url(getenv('SITE_URL'), PHP_URL_HOST);
require '/usr/share/wordpress/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';

if (is_blog_installed()) {
    echo "There is a site already.\n";
    exit(0);
}
// Nobody is told by mail: there is no mail server here.
add_filter('pre_wp_mail', '__return_false');
$password = trim(file_get_contents('/run/secrets/admin_password'));
wp_install(getenv('SITE_TITLE'), getenv('ADMIN_NAME'), getenv('ADMIN_MAIL'), true, '', wp_slash($password));
echo "The site is made.\n";
