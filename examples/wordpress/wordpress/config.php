<?php
// What Debian's wp-config.php reads. Keys and salts are not here: WordPress makes them and keeps them in the database, so that all
// containers of the service have the same.
define('DB_HOST', getenv('DATABASE_HOST'));
define('DB_NAME', getenv('DATABASE_NAME'));
define('DB_USER', getenv('DATABASE_USER'));
define('DB_PASSWORD', trim(file_get_contents('/run/secrets/db_password')));
define('DB_CHARSET', 'utf8mb4');
define('WP_HOME', getenv('SITE_URL'));
define('WP_SITEURL', getenv('SITE_URL'));
define('WP_CONTENT_DIR', '/var/lib/wordpress/wp-content');
// Packages bring new versions, not the site itself.
define('DISALLOW_FILE_MODS', true);
